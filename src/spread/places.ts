import { hostname } from 'node:os'
import { RunnerError } from '../errors.ts'
import type { Environment } from '../identity/environment.ts'
import { jobAround, spreadVariables } from '../runners/variables/systems.ts'
import { formatCount } from '../util/format.ts'
import { type Host, isSameHost } from '../runners/node-file.ts'

/** So many ranks are started at once: each is a process here, and a connection. */
const mostRanks = 4_096

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

/**
 * One rank on each host, or one for each slot: those of a host follow one another.
 *
 * @throws RunnerError ERR_ENVIRONMENT where these are more than can be started at once.
 */
export function placesOf(hosts: readonly Host[], per: 'host' | 'slot'): readonly Place[] {
  const localSizeOf = ({ slots }: Host): number => (per === 'host' ? 1 : slots)
  const size = hosts.reduce((sum, host) => sum + localSizeOf(host), 0)
  if (size > mostRanks)
    throw new RunnerError(
      `Cannot start ${size} ranks, one on each ${per}: spread starts up to ${mostRanks}; ` +
        (per === 'slot' ? 'take --per host' : 'name fewer hosts by --hosts-from'),
      { code: 'ERR_ENVIRONMENT' },
    )
  const each = hosts.flatMap((host) =>
    Array.from({ length: localSizeOf(host) }, (_, localRank) => ({ host, localRank, localSize: localSizeOf(host) })),
  )
  return each.map((place, rank) => ({ ...place, rank, size, hosts: hosts.length }))
}

/** How many they are, for people: `4 ranks on 2 hosts`. */
export function formatPlaces(places: readonly Place[]): string {
  return `${formatCount(places.length, 'rank')} on ${formatCount(places[0]?.hosts ?? 0, 'host')}`
}

/** What tells a rank its place. */
export interface PlaceWords {
  /** The id of the job. */
  readonly job: string
  /** What tells this run from others of the job, unless `run` is told that. */
  readonly step: string
  /** Whether a slot is a CPU. */
  readonly slotsAreCpus: boolean
}

/** What tells a run from others, where `own` is a word that no other run has: without a job around it, that is its job. */
export function runWords(env: Environment, own: string): Pick<PlaceWords, 'job' | 'step'> {
  const job = jobAround(env)?.id
  return job === undefined ? { job: own, step: '0' } : { job, step: own }
}

/** The variables that tell a rank its place; the runner that reads them is the row `spread` of the systems. */
export function variablesOf(place: Place, { job, step, slotsAreCpus }: PlaceWords): Readonly<Record<string, string>> {
  const { rank, size, hosts, localRank, localSize, host } = place
  return {
    DASK_HPC_RUNNER_RUNNER: 'spread',
    [spreadVariables.rank]: String(rank),
    [spreadVariables.size]: String(size),
    [spreadVariables.job]: job,
    [spreadVariables.step]: step,
    [spreadVariables.nodes]: String(hosts),
    [spreadVariables.localRank]: String(localRank),
    [spreadVariables.localSize]: String(localSize),
    ...(slotsAreCpus ? { [spreadVariables.cpus]: String(Math.max(1, Math.floor(host.slots / localSize))) } : {}),
  }
}

/** Whether a name is that of this host, with or without its domain. Another user there is not this process's. */
export function isThisHost(name: string, own = hostname()): boolean {
  return name === 'localhost' || (!name.includes('@') && isSameHost(name, own))
}
