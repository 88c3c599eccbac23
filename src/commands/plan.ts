import { type TaskShare, taskShare } from '../components/task-share.ts'
import { tooManyGpus, type WantedGpus, type WorkerGpus, workerGpus } from '../components/worker-gpus.ts'
import { shareAmong, type WantedResources, type WorkerResources } from '../components/worker-resources.ts'
import type { RunnerKind } from '../runners/choose-runner.ts'
import type { Environment } from '../identity/environment.ts'
import type { Identity } from '../identity/identity.ts'
import { fillIn, formatRunKey } from '../identity/run-key.ts'
import { kinds } from '../runners/kinds.ts'
import { unknownHost } from '../runners/slurm/identify-slurm.ts'
import type { CompleteOptions } from '../options.ts'
import { type NodeLimits, readNodeLimits } from '../process/limits.ts'
import { defaultPollInterval, leastOperations, longestNotice } from '../rendezvous/file/watch.ts'
import { assignRoles, type Role, type World } from '../identity/roles.ts'
import { checkRunSize } from '../components/run-size.ts'
import { formatDuration } from '../util/duration.ts'
import { formatShare, formatWorker } from './format-share.ts'

/** What one process would do. */
export interface PlanRow {
  readonly rank: number
  /** Name of its host; `?` where it cannot be known from here. */
  readonly host: string
  /** In the order scheduler, client, worker. */
  readonly roles: readonly Role[]
}

/** Who would do what. */
export interface Plan {
  /** One for each process, by rank. */
  readonly rows: readonly PlanRow[]
  /** Path of the scheduler file; outside of a job its placeholders are still open. */
  readonly schedulerFile: string
  /** The process that asks; undefined outside of a job. */
  readonly identity: Identity | undefined
  /** What this process has of its node; undefined outside of a job. */
  readonly share: TaskShare | undefined
  /** What each of this process's workers gets; undefined where it hosts none. */
  readonly worker: (WorkerResources & { readonly nworkers: number }) | undefined
  /** The GPUs of these workers; undefined where there are none, or the lists of them are left alone. */
  readonly gpus: WorkerGpus | undefined
  /** The abstract resources of these workers, where any are named. */
  readonly resources?: string | undefined
  /** Variables of the workload manager that could not be read, in words. */
  readonly warnings: readonly string[]
  /** The run key as one word; undefined outside of a job. */
  readonly runKey: string | undefined
  /** How soon a process that waits notices what is published. */
  readonly notice: Notice
}

/** The longest time until a change may be noticed, in milliseconds, if no events tell of it. */
export interface Notice {
  /** Where one process of each host looks for all of its host. */
  readonly byHost: number
  /** Where every process looks by itself. */
  readonly byProcess: number
  /** Operations a second that all of them together may ask of the filesystem; undefined where an interval is given. */
  readonly budget: number | undefined
}

/** The world to plan for, and what is known of it; complete options with a `size` are enough. */
export interface PlanForOptions extends World, WantedResources, WantedGpus {
  readonly schedulerFile: string
  /** Milliseconds between two looks. @default by the number of processes and the budget */
  readonly pollInterval?: number | undefined
  /** Operations a second. */
  readonly metadataBudget: number
  /** Hosts by rank. @default every host is unknown */
  readonly hosts?: readonly string[]
  /** The process that asks. @default none: outside of a job */
  readonly me?: Identity
  /** What its node lets it have. @default a look at this one */
  readonly limits?: NodeLimits
  readonly env?: Environment
  /** Workers of each of `nworkers` commands. @default 1 */
  readonly workersPerCommand?: number
  /** Abstract resources of each worker. */
  readonly resources?: string | undefined
}

/**
 * Who would do what in the job that this process is part of; nothing is started.
 *
 * @throws RunnerError with `ERR_ENVIRONMENT` where the environment does not tell who it is.
 */
export async function plan(
  options: CompleteOptions,
  kind: RunnerKind = 'slurm',
  limits = readNodeLimits(),
): Promise<Plan> {
  const { identify, hosts } = kinds[kind]
  const me = await identify(options)
  return planFor({ ...options, size: me.size, hosts: hosts(options.env, me), me, limits })
}

/**
 * Who would do what among a given number of processes: `planFor({ ...options, size: 4 })`.
 *
 * @throws RangeError where the size is not a whole number from 1.
 */
export function planFor(options: PlanForOptions): Plan {
  const { schedulerFile, hosts = [], me } = options
  const nworkers = options.nworkers * (options.workersPerCommand ?? 1)
  const rows = assignRoles(options).map((roles, rank) => ({ rank, host: hosts[rank] ?? unknownHost, roles }))
  const share = me === undefined ? undefined : taskShare(me.share, options.limits ?? readNodeLimits())
  const roles = me === undefined ? [] : (rows[me.rank]?.roles ?? [])
  const wanted = { ...options, nworkers, roles }
  const hostsWorkers = me !== undefined && roles.includes('worker')
  return {
    rows,
    schedulerFile: me === undefined ? schedulerFile : fillIn(schedulerFile, me.runKey),
    identity: me,
    share,
    resources: options.resources,
    gpus: hostsWorkers ? workerGpus(options.env ?? {}, me.share, wanted) : undefined,
    worker: share !== undefined && hostsWorkers ? { ...shareAmong(share, wanted), nworkers } : undefined,
    warnings: me?.share.warnings ?? [],
    runKey: me === undefined ? undefined : formatRunKey(me.runKey),
    notice: noticeOf(options),
  }
}

/**
 * Holds the options against the size of the run that is planned.
 *
 * @throws RangeError where one of them does not go with it.
 */
export function checkPlan({ rows }: Plan, options: CompleteOptions): void {
  checkRunSize(options, { roles: rows.map(({ roles }) => roles), isOnOneHost: false })
}

function noticeOf({ size, hosts = [], pollInterval, metadataBudget }: PlanForOptions): Notice {
  const interval = (lookers: number): number => pollInterval ?? defaultPollInterval(lookers, metadataBudget)
  const lookers = size / fewestOfHost(hosts)
  return {
    byHost: longestNotice(interval(lookers)),
    byProcess: longestNotice(interval(size)),
    budget: pollInterval === undefined ? Math.max(metadataBudget, leastOperations(lookers)) : undefined,
  }
}

/** Number of processes on the host that has the fewest; 1 where hosts are not known. */
function fewestOfHost(hosts: readonly string[]): number {
  const counts = new Map<string, number>()
  for (const host of hosts) counts.set(host, host === unknownHost ? 1 : (counts.get(host) ?? 0) + 1)
  return counts.size === 0 ? 1 : [...counts.values()].reduce((least, count) => Math.min(least, count))
}

/**
 * The plan for people: a table of rank, host and roles, then what else is known; no newline at the end.
 *
 * @param atFile whether the processes meet at the scheduler file
 */
export function formatPlan(plan: Plan, atFile = true): string {
  const cells = plan.rows.map(({ rank, host, roles }) => [String(rank), host, roles.join(', ')] as const)
  const table = [['rank', 'host', 'roles'] as const, ...cells]
  const rankWidth = longest(table.map(([rank]) => rank))
  const hostWidth = longest(table.map(([, host]) => host))
  const lines = table.map(([rank, host, roles]) => `${rank.padEnd(rankWidth)}  ${host.padEnd(hostWidth)}  ${roles}`)
  lines.push('')
  if (atFile) lines.push(`scheduler file: ${plan.schedulerFile}`)
  if (plan.runKey !== undefined) lines.push(`run key: ${plan.runKey}`)
  if (plan.identity !== undefined) {
    const { rank, size, host, source } = plan.identity
    lines.push(`this process: rank ${rank} of ${size} on ${host} (${source})`)
  }
  if (plan.share !== undefined) lines.push(...formatShare(plan.share, plan.gpus).map((text) => `  has ${text}`))
  if (plan.worker !== undefined)
    lines.push(`  ${formatWorker(plan.worker, { ...plan.worker, resources: plan.resources }, plan.gpus)}`)
  for (const environment of plan.gpus?.environments ?? [])
    lines.push(...Object.entries(environment).map(([name, list]) => `    ${name}=${list}`))
  const tooMany = plan.gpus && tooManyGpus(plan.gpus)
  for (const warning of [plan.worker?.short, tooMany]) if (warning !== undefined) lines.push(`warning: ${warning}`)
  lines.push(...plan.warnings.map((text) => `warning: ${text}: it does not count`))
  if (!atFile) return lines.join('\n')
  const { byHost, byProcess, budget } = plan.notice
  const alone = byProcess === byHost ? '' : `, or ${formatDuration(byProcess)} where each process has to look by itself`
  const cost = budget === undefined ? '' : `, with at most ${budget} file system operations a second`
  lines.push(`found by polling: within ${formatDuration(byHost)}${alone}${cost}`)
  return lines.join('\n')
}

function longest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, text.length), 0)
}
