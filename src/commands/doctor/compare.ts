import type { PythonDescription } from '../../python/describe-python.ts'
import type { Role } from '../../identity/roles.ts'
import { formatDuration } from '../../util/duration.ts'
import { groupBy } from '../../util/group-by.ts'
import { hostAndPort } from '../../util/network.ts'
import { checkClient } from './client.ts'
import { type Finding, found, type Level, levels } from './finding.ts'
import type { Gathered } from './exchange.ts'
import type { RankFacts } from './rank-facts.ts'
import { formatWho, type Who } from './format.ts'
import { checkDifference, checkPythonDifference } from './versions.ts'

/** What rank 0 knows beside what the others have told. */
export interface CompareOptions {
  readonly own: RankFacts
  readonly roles: readonly (readonly Role[])[]
  /** Hosts by rank, as far as the workload manager tells. */
  readonly hosts: readonly string[]
  /** Number of nodes. */
  readonly nodes: number
  /** Directory in which the processes met. */
  readonly directory: string
}

/** What differs between the processes of a job, each difference once. */
export function compareRanks(gathered: Gathered, options: CompareOptions): Finding[] {
  return [
    ...checkVisibility(gathered, options),
    ...checkVersions(gathered, options),
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
  { own, roles, hosts, nodes, directory }: CompareOptions,
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
    const others = seen.filter(({ host }) => host !== own.host)
    const alone = nodes > 1 && others.length === 0 && own.filesystem.local
    const cause = alone
      ? `it is on a local filesystem of ${own.host} (${own.filesystem.kind}), which other nodes do not see`
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
  return [...findings, ...checkFilesystems(seen, own)]
}

function checkFilesystems(seen: readonly RankFacts[], own: RankFacts): Finding[] {
  const others = seen.filter(({ filesystem }) => filesystem.kind !== own.filesystem.kind)
  return groupBy(others, ({ filesystem }) => filesystem.kind).map(([kind, who]) =>
    foundFor('note', 'directory', `it is ${kind} for ${formatWho(who)} and ${own.filesystem.kind} for rank 0`, who),
  )
}

function checkVersions({ seen }: Gathered, { own, roles }: CompareOptions): Finding[] {
  const findings = [
    ...checkText(own, seen, {
      subject: 'program',
      what: 'dask-hpc-runner',
      level: 'warning',
      of: ({ program }) => program,
    }),
    ...checkText(own, seen, { subject: 'node', what: 'Node', level: 'note', of: ({ node }) => node }),
  ]
  const { python } = own
  if (python === null) return findings
  const isPart = ({ rank }: RankFacts): boolean => roles[rank]?.some((role) => role !== 'client') ?? true
  const parts = seen.filter((facts) => isPart(facts) && facts.python !== null)
  const differing = groupBy(parts, (facts) =>
    JSON.stringify(facts.python === null ? null : differences(facts.python, python)),
  )
  for (const [, who] of differing) {
    const theirs = who[0]?.python
    if (theirs === undefined || theirs === null) continue
    for (const [level, texts] of differences(theirs, python))
      findings.push(
        foundFor(
          level,
          'dask',
          `${formatWho(who)} ${who.length === 1 ? 'has' : 'have'} ${texts.join(', ')} (${theirs.executable})`,
          who,
          level === 'note' ? undefined : 'give all nodes the same Python, or name one that they share by --python',
        ),
      )
  }
  if (
    parts.length > 0 &&
    parts.every((facts) => facts.python !== null && differences(facts.python, python).length === 0)
  )
    findings.push(found('ok', 'dask', `the same Python and versions in ${formatWho([own, ...parts])}`))
  return findings
}

/** What one Python has otherwise than another, by how bad that is, the worst first. */
function differences(theirs: PythonDescription, ours: PythonDescription): [Level, string[]][] {
  const all: [Level, string][] = []
  const say = (name: string, one = 'none', other = 'none'): string => `${name} ${one} and not ${other}`
  all.push([checkPythonDifference(theirs.version, ours.version), say('Python', theirs.version, ours.version)])
  for (const name of new Set([...Object.keys(ours.packages), ...Object.keys(theirs.packages)])) {
    const [one, other] = [theirs.packages[name], ours.packages[name]]
    all.push([checkDifference(name, one, other), say(name, one, other)])
  }
  if (theirs.executable !== ours.executable) all.push(['note', say('the Python', theirs.executable, ours.executable)])
  return levels
    .filter((level) => level !== 'ok')
    .toReversed()
    .map((level): [Level, string[]] => [level, all.filter(([its]) => its === level).map(([, text]) => text)])
    .filter(([, texts]) => texts.length > 0)
}

interface TextRule {
  readonly subject: string
  readonly what: string
  readonly level: Level
  readonly of: (facts: RankFacts) => string
}

function checkText(own: RankFacts, others: readonly RankFacts[], { subject, what, level, of }: TextRule): Finding[] {
  const differing = groupBy(
    others.filter((facts) => of(facts) !== of(own)),
    of,
  )
  return differing.map(([value, who]) =>
    foundFor(level, subject, `${what} is ${value} in ${formatWho(who)} and ${of(own)} in rank 0`, who),
  )
}

function checkWorkers({ seen }: Gathered, { own }: CompareOptions): Finding[] {
  const workers = [own, ...seen].filter(({ gets }) => gets !== null)
  const groups = groupBy(workers, ({ gets }) => gets ?? '')
  return groups.map(([gets, who]) => ({
    ...found(groups.length === 1 ? 'ok' : 'note', 'resources', `${gets} (${formatWho(who)})`),
    ranks: who.map(({ rank }) => rank),
  }))
}

function checkReachOfRank0({ start, seen }: Gathered, { own }: CompareOptions): Finding[] {
  const findings: Finding[] = []
  const advice = 'name another --interface or --host, or ask which ports are open between nodes (--port, --worker-port)'
  const address = start.listens === null ? '' : hostAndPort(start.listens.host, start.listens.port)
  for (const answer of ['refuses', 'unreachable'] as const) {
    const how = answer === 'refuses' ? 'is refused' : 'gets no answer'
    const there = seen.filter((facts) => facts.reach === answer)
    if (there.length > 0)
      findings.push(
        foundFor(
          'problem',
          'network',
          `${formatWho(there)} ${how} at ${address}, where rank 0 on ${own.host} listens`,
          there,
          advice,
        ),
      )
    const closed = seen.filter((facts) => facts.control === answer)
    if (closed.length > 0 && start.control !== null)
      findings.push(
        foundFor(
          'problem',
          'network',
          `${formatWho(closed)} ${how} at ${hostAndPort(start.control.host, start.control.port)}, where rank 0 on ${own.host} would tell the others of the cluster`,
          closed,
          'ask which ports are open between nodes, and name some by --control-port',
        ),
      )
  }
  const reached = seen.filter((facts) => facts.reach === 'answers')
  if (reached.length > 0) findings.push(found('ok', 'network', `${formatWho(reached)} reach rank 0 at ${address}`))
  return findings
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
