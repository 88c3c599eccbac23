import { type TaskShare, taskShare } from '../components/task-share.ts'
import { tooManyGpus, type WorkerGpus, workerGpus } from '../components/worker-gpus.ts'
import { workersOfProcess } from '../components/worker-names.ts'
import { shareAmong, type WorkerResources } from '../components/worker-resources.ts'
import type { ChosenRunner, RunnerKind } from '../runners/choose-runner.ts'
import type { Identity } from '../identity/identity.ts'
import { fillIn, formatRunKey } from '../identity/run-key.ts'
import { kinds, type Meeting } from '../runners/kinds.ts'
import { unknownHost } from '../runners/slurm/identify-slurm.ts'
import type { CompleteOptions } from '../options.ts'
import { type NodeLimits, readNodeLimits } from '../process/limits.ts'
import { defaultPollInterval, longestNotice } from '../rendezvous/file/watch.ts'
import { formatDuration } from '../util/duration.ts'
import { assignRoles, type Role } from '../identity/roles.ts'
import { checkRunSize } from '../components/run-size.ts'
import { formatShare, formatWorker } from './format-share.ts'

/** What one process would do. */
interface PlanRow {
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
  /** Milliseconds until a process that waits notices at the latest what is published, by polling. */
  readonly noticeMs: number
  /** The process that asks; undefined outside of a job. */
  readonly own: OwnPart | undefined
}

/** What the process that asks is, and has of its node. */
interface OwnPart {
  readonly identity: Identity
  readonly share: TaskShare
  /** What each of its workers gets; undefined where it hosts none. */
  readonly worker: (WorkerResources & { readonly nworkers: number; readonly resources: string | undefined }) | undefined
  /** The GPUs of these workers; undefined where there are none, or the lists of them are left alone. */
  readonly gpus: WorkerGpus | undefined
}

/**
 * Who would do what in the job that this process is part of; nothing is started.
 *
 * @throws RunnerError with `ERR_ENVIRONMENT` where the environment does not tell who it is.
 */
export async function plan(options: CompleteOptions, kind: RunnerKind): Promise<Plan> {
  const { identify, hosts } = kinds[kind]
  const me = await identify(options)
  return planOf(options, { me, hosts: hosts(options.env, me), limits: readNodeLimits() })
}

/** What is known of the process that asks, and of the others. */
export interface PlanOfOptions {
  readonly me: Identity
  /** Hosts by rank. */
  readonly hosts: readonly string[]
  /** What its node lets it have. */
  readonly limits: NodeLimits
}

/** {@link plan} for what is known already. */
export function planOf(options: CompleteOptions, { me, hosts, limits }: PlanOfOptions): Plan {
  const { rows, noticeMs } = planFor(options, me.size, hosts)
  const { roles = [] } = rows[me.rank] ?? {}
  const share = taskShare(me.share, limits)
  const { resources } = options
  const wanted = { ...options, nworkers: workersOfProcess(options), roles }
  const hostsWorkers = roles.includes('worker')
  return {
    rows,
    schedulerFile: fillIn(options.schedulerFile, me.runKey),
    noticeMs,
    own: {
      identity: me,
      share,
      worker: hostsWorkers ? { ...shareAmong(share, wanted), nworkers: wanted.nworkers, resources } : undefined,
      gpus: hostsWorkers ? workerGpus(options.env, me.share, wanted) : undefined,
    },
  }
}

/**
 * Who would do what among a given number of processes, outside of a job.
 *
 * @throws RangeError where the size is not a whole number from 1.
 */
export function planFor(options: CompleteOptions, size: number, hosts: readonly string[] = []): Plan {
  const roles = assignRoles({ ...options, size })
  // One process of each host looks for all of it.
  const lookers = hosts.length === 0 || hosts.includes(unknownHost) ? size : new Set(hosts).size
  const interval = options.pollInterval ?? defaultPollInterval(lookers, options.metadataBudget)
  return {
    rows: roles.map((each, rank) => ({ rank, host: hosts[rank] ?? unknownHost, roles: each })),
    schedulerFile: options.schedulerFile,
    noticeMs: longestNotice(interval),
    own: undefined,
  }
}

/** Which runner takes part and why, and how its processes would meet: a line each. */
export async function explainRunner(options: CompleteOptions, { kind, why }: ChosenRunner): Promise<Meeting> {
  const { text, atFile } = await kinds[kind].meeting(options)
  return { text: `runner: ${kind}, because ${why}\nrendezvous: ${text}`, atFile }
}

/**
 * Holds the options against the size of the run that is planned.
 *
 * @throws RangeError where one of them does not go with it.
 */
export function checkPlan({ rows }: Plan, options: CompleteOptions): void {
  checkRunSize(options, { roles: rows.map(({ roles }) => roles), isOnOneHost: false })
}

/**
 * The plan for people: a table of rank, host and roles, then what else is known; no newline at the end.
 *
 * @param atFile whether the processes meet at the scheduler file
 */
export function formatPlan({ rows, schedulerFile, noticeMs, own }: Plan, atFile = true): string {
  const cells = rows.map(({ rank, host, roles }) => [String(rank), host, roles.join(', ')] as const)
  const table = [['rank', 'host', 'roles'] as const, ...cells]
  const rankWidth = longest(table.map(([rank]) => rank))
  const hostWidth = longest(table.map(([, host]) => host))
  const lines = table.map(([rank, host, roles]) => `${rank.padEnd(rankWidth)}  ${host.padEnd(hostWidth)}  ${roles}`)
  return [
    ...lines,
    '',
    ...(atFile ? [`scheduler file: ${schedulerFile}`] : []),
    ...(own === undefined ? [] : formatOwnPart(own)),
    ...(atFile ? [`found by polling: within ${formatDuration(noticeMs)}`] : []),
  ].join('\n')
}

function formatOwnPart({ identity, share, worker, gpus }: OwnPart): string[] {
  const { rank, size, host, source, runKey } = identity
  const warnings = [worker?.short, gpus && tooManyGpus(gpus)].filter((text) => text !== undefined)
  const unread = (identity.share.warnings ?? []).map((text) => `${text}: it does not count`)
  return [
    `run key: ${formatRunKey(runKey)}`,
    `this process: rank ${rank} of ${size} on ${host} (${source})`,
    ...formatShare(share, gpus).map((text) => `  has ${text}`),
    ...(worker === undefined ? [] : [`  ${formatWorker(worker, worker, gpus)}`]),
    ...(gpus?.environments ?? []).flatMap((each) => Object.entries(each).map(([name, list]) => `    ${name}=${list}`)),
    ...[...warnings, ...unread].map((text) => `warning: ${text}`),
  ]
}

function longest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, text.length), 0)
}
