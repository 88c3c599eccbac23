import { hostname } from 'node:os'
import { spreadVariables } from '../runners/variables/systems.ts'
import type { Host } from './node-file.ts'

/** The place of one rank: which host it is on, and what it has of it. */
export interface Place {
  readonly rank: number
  readonly size: number
  readonly host: Host
  /** Its number among the ranks of its host, and how many these are. */
  readonly localRank: number
  readonly localSize: number
  /** How many hosts there are. */
  readonly hosts: number
}

/** One rank on each host, or one for each slot: those of a host follow one another. */
export function placesOf(hosts: readonly Host[], per: 'host' | 'slot'): readonly Place[] {
  const localSizeOf = ({ slots }: Host): number => (per === 'host' ? 1 : slots)
  const size = hosts.reduce((sum, host) => sum + localSizeOf(host), 0)
  const each = hosts.flatMap((host) =>
    Array.from({ length: localSizeOf(host) }, (_, localRank) => ({ host, localRank, localSize: localSizeOf(host) })),
  )
  return each.map((place, rank) => ({ ...place, rank, size, hosts: hosts.length }))
}

/** What tells a rank its place. */
export interface PlaceWords {
  /** The id of the job. */
  readonly job: string
  /** What tells this run from others of the job. */
  readonly runId: string
  /** Whether a slot is a CPU. */
  readonly slotsAreCpus: boolean
}

/** The variables that tell a rank its place; the runner that reads them is the row `spread` of the systems. */
export function variablesOf(place: Place, { job, runId, slotsAreCpus }: PlaceWords): Readonly<Record<string, string>> {
  const { rank, size, hosts, localRank, localSize, host } = place
  return {
    DASK_HPC_RUNNER_RUNNER: 'spread',
    DASK_HPC_RUNNER_RUN_ID: runId,
    [spreadVariables.rank]: String(rank),
    [spreadVariables.size]: String(size),
    [spreadVariables.job]: job,
    [spreadVariables.nodes]: String(hosts),
    [spreadVariables.localRank]: String(localRank),
    [spreadVariables.localSize]: String(localSize),
    ...(slotsAreCpus ? { [spreadVariables.cpus]: String(Math.max(1, Math.floor(host.slots / localSize))) } : {}),
  }
}

/** Whether a name is that of this host, with or without its domain. */
export function isThisHost(name: string, own = hostname()): boolean {
  const [short = '', ...domain] = name.toLowerCase().split('.')
  const [ownShort = '', ...ownDomain] = own.toLowerCase().split('.')
  if (name === 'localhost' || short !== ownShort) return name === 'localhost'
  return domain.length === 0 || ownDomain.length === 0 || domain.join('.') === ownDomain.join('.')
}
