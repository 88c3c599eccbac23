import type { Identity } from '../identity/identity.ts'
import { fillIn, formatRunKey } from '../identity/run-key.ts'
import { identifySlurm, unknownHost } from '../identity/slurm.ts'
import { slurmHosts } from '../identity/slurm-hosts.ts'
import type { CompleteOptions } from '../options.ts'
import { assignRoles, type Role, type World } from '../roles/roles.ts'

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
  /** The run key as one word; undefined outside of a job. */
  readonly runKey: string | undefined
}

/** The world to plan for, and what is known of it; complete options with a `size` are enough. */
export interface PlanForOptions extends World {
  readonly schedulerFile: string
  /** Hosts by rank. @default every host is unknown */
  readonly hosts?: readonly string[]
  /** The process that asks. @default none: outside of a job */
  readonly me?: Identity
}

/**
 * Who would do what in the job that this process is part of; nothing is started.
 *
 * @throws RunnerError with `ERR_ENVIRONMENT` where the environment does not tell who it is.
 */
export function plan(options: CompleteOptions): Plan {
  const me = identifySlurm(options.env, options)
  return planFor({ ...options, size: me.size, hosts: slurmHosts(options.env, me), me })
}

/**
 * Who would do what among a given number of processes: `planFor({ ...options, size: 4 })`.
 *
 * @throws RangeError where the size is not a whole number from 1.
 */
export function planFor(options: PlanForOptions): Plan {
  const { schedulerFile, hosts = [], me } = options
  return {
    rows: assignRoles(options).map((roles, rank) => ({ rank, host: hosts[rank] ?? unknownHost, roles })),
    schedulerFile: me === undefined ? schedulerFile : fillIn(schedulerFile, me.runKey),
    identity: me,
    runKey: me === undefined ? undefined : formatRunKey(me.runKey),
  }
}

/** The plan for people: a table of rank, host and roles, then what else is known; no newline at the end. */
export function formatPlan(plan: Plan): string {
  const cells = plan.rows.map(({ rank, host, roles }) => [String(rank), host, roles.join(', ')] as const)
  const table = [['rank', 'host', 'roles'] as const, ...cells]
  const rankWidth = longest(table.map(([rank]) => rank))
  const hostWidth = longest(table.map(([, host]) => host))
  const lines = table.map(([rank, host, roles]) => `${rank.padEnd(rankWidth)}  ${host.padEnd(hostWidth)}  ${roles}`)
  lines.push('', `scheduler file: ${plan.schedulerFile}`)
  if (plan.runKey !== undefined) lines.push(`run key: ${plan.runKey}`)
  if (plan.identity !== undefined) {
    const { rank, size, host, source } = plan.identity
    lines.push(`this process: rank ${rank} of ${size} on ${host} (${source})`)
  }
  return lines.join('\n')
}

function longest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, text.length), 0)
}
