import type { Role } from '../../identity/roles.ts'
import { formatDuration } from '../../util/duration.ts'
import { groupBy } from '../../util/group-by.ts'
import { hostAndPort } from '../../util/network.ts'
import { checkClient } from './client.ts'
import type { Filesystem } from './filesystem.ts'
import { type Finding, found, type Level } from './finding.ts'
import type { Gathered } from './exchange.ts'
import type { RankFacts } from './rank-facts.ts'
import { formatWho, type Who } from './format.ts'
import { differences } from './versions.ts'

/** What rank 0 knows beside what the others have told. */
export interface CompareOptions {
  readonly own: RankFacts
  readonly roles: readonly (readonly Role[])[]
  /** Hosts by rank, as far as the workload manager tells. */
  readonly hosts: readonly string[]
  /** Number of nodes. */
  readonly nodes: number
  /** Directory in which the processes met, and its filesystem as rank 0 has it. */
  readonly directory: string
  readonly filesystem: Filesystem
}

/** What differs between the processes of a job, each difference once. */
export function compareRanks(gathered: Gathered, options: CompareOptions): Finding[] {
  return [
    ...checkVisibility(gathered, options),
    ...checkPrograms(gathered, options),
    ...checkPythons(gathered, options),
    ...checkWorkers(gathered, options),
    ...checkReachOfRank0(gathered, options),
    ...checkTheClient(gathered, options),
  ]
}

/** A finding for some of the processes. */
function foundFor(level: Level, subject: string, finding: string, who: readonly Who[], advice?: string): Finding {
  return { ...found(level, subject, finding, advice), ranks: who.map(({ rank }) => rank) }
}

function checkVisibility(
  { seen, came, waited }: Gathered,
  { own, roles, hosts, nodes, directory, filesystem }: CompareOptions,
): Finding[] {
  const size = roles.length
  const told = new Set([own.rank, ...seen.map(({ rank }) => rank)])
  const missing = roles.flatMap((_, rank) =>
    told.has(rank) ? [] : [{ rank, host: came.get(rank) ?? hosts[rank] ?? '?' }],
  )
  const silent = missing.filter(({ rank }) => came.has(rank))
  const unseen = missing.filter(({ rank }) => !came.has(rank))
  const findings: Finding[] = []
  const after = formatDuration(waited)
  if (silent.length > 0)
    findings.push(
      foundFor(
        'problem',
        'processes',
        `${formatWho(silent)} came to "${directory}" and told nothing within ${after}`,
        silent,
        'look at its own output; where it is only slow, give it more time by --timeout',
      ),
    )
  if (unseen.length > 0) {
    const others = [...seen.map(({ host }) => host), ...came.values()].filter((host) => host !== own.host)
    const alone = nodes > 1 && others.length === 0 && filesystem.local
    const cause = alone
      ? `it is on a local filesystem of ${own.host} (${filesystem.kind}), which other nodes do not see`
      : 'they see another directory there, cannot write in it, or were not started'
    findings.push(
      foundFor(
        'problem',
        'directory',
        `no word of ${formatWho(unseen)} in "${directory}" within ${after}: ${cause}`,
        unseen,
        'name a scheduler file in a directory that all nodes share, by --scheduler-file',
      ),
    )
  }
  if (missing.length === 0) findings.push(found('ok', 'directory', `all ${size} processes see "${directory}"`))
  return findings
}

function checkPrograms({ seen }: Gathered, { own }: CompareOptions): Finding[] {
  const others = groupBy(
    seen.filter(({ program }) => program !== own.program),
    ({ program }) => program,
  )
  return others.map(([program, who]) => {
    const finding = `dask-hpc-runner is ${program} in ${formatWho(who)} and ${own.program} in rank 0`
    return foundFor('warning', 'program', finding, who)
  })
}

/** Of those that host more than the client program. */
function checkPythons({ seen }: Gathered, { own, roles }: CompareOptions): Finding[] {
  const ours = own.python
  if (ours === null) return []
  const parts = seen.flatMap(({ rank, host, python }) => {
    if (python === null || roles[rank]?.every((role) => role === 'client') === true) return []
    const { executable } = python
    const others: [Level, string[]] = ['note', [`the Python ${executable} and not ${ours.executable}`]]
    return [
      {
        rank,
        host,
        executable,
        differs: [...differences(python, ours), ...(executable === ours.executable ? [] : [others])],
      },
    ]
  })
  const findings = groupBy(parts, ({ executable, differs }) => JSON.stringify([executable, differs])).flatMap(
    ([, who]) => {
      const [{ executable, differs } = { executable: '', differs: [] }] = who
      return differs.map(([level, texts]) =>
        foundFor(
          level,
          'dask',
          `${formatWho(who)} ${who.length === 1 ? 'has' : 'have'} ${texts.join(', ')} (${executable})`,
          who,
          level === 'note' ? undefined : 'give all nodes the same Python, or name one that they share by --python',
        ),
      )
    },
  )
  if (parts.length === 0 || findings.length > 0) return findings
  return [found('ok', 'dask', `the same Python and versions in ${formatWho([own, ...parts])}`)]
}

function checkWorkers({ seen }: Gathered, { own }: CompareOptions): Finding[] {
  const workers = [own, ...seen].filter(({ gets }) => gets !== null)
  const groups = groupBy(workers, ({ gets }) => gets ?? '')
  return groups.map(([gets, who]) => ({
    ...found(groups.length === 1 ? 'ok' : 'note', 'resources', `${gets} (${formatWho(who)})`),
    ranks: who.map(({ rank }) => rank),
  }))
}

/** What to do about a port of rank 0 that the others do not reach, and what it is for. */
const ports = {
  dask: {
    is: 'listens',
    advice: 'name another --interface or --host, or ask which ports are open between nodes (--port, --worker-port)',
  },
  control: {
    is: 'would tell the others of the cluster',
    advice: 'ask which ports are open between nodes, and name some by --control-port',
  },
} as const

function checkReachOfRank0({ start, seen }: Gathered, { own }: CompareOptions): Finding[] {
  return start.listens.flatMap(({ what, host, port }) => {
    const address = hostAndPort(host, port)
    const { is, advice } = ports[what]
    const bad = (['refuses', 'unreachable'] as const).flatMap((answer) => {
      const who = seen.filter(({ reach }) => reach[what] === answer)
      const how = answer === 'refuses' ? 'is refused' : 'gets no answer'
      const finding = `${formatWho(who)} ${how} at ${address}, where rank 0 on ${own.host} ${is}`
      return who.length === 0 ? [] : [foundFor('problem', 'network', finding, who, advice)]
    })
    const reached = seen.filter(({ reach }) => reach[what] === 'answers')
    if (what === 'control' || reached.length === 0) return bad
    return [...bad, found('ok', 'network', `${formatWho(reached)} reach rank 0 at ${address}`)]
  })
}

/** The client's process has looked at its Python; only here is that of the scheduler known. */
function checkTheClient({ seen }: Gathered, { own }: CompareOptions): Finding[] {
  return seen.flatMap((facts) => {
    if (facts.client === null) return []
    const [program = '', ...args] = facts.client.command
    const client = { command: [program, ...args] as const, python: facts.client.python ?? undefined }
    return checkClient(client, own.python ?? undefined).map((finding) => ({ ...finding, ranks: [facts.rank] }))
  })
}
