import { groupBy } from '../../util/group-by.ts'
import type { Finding } from './finding.ts'
import { formatWho, type Who } from './format.ts'

/** What one process has found about itself. */
export interface OfRank extends Who {
  readonly findings: readonly Finding[]
}

/** How many findings of one level and subject are told before the rest is only counted. */
const most = 10

/**
 * The findings of all processes, each once, with those that it holds for where these are not all. Of
 * what is in order, that of the first process stands for all.
 */
export function mergeFindings(processes: readonly OfRank[]): Finding[] {
  const [first] = processes
  const all = processes.flatMap(({ rank, host, findings }) =>
    findings.filter(({ level }) => level !== 'ok' || rank === first?.rank).map((finding) => ({ finding, rank, host })),
  )
  const kinds = groupBy(all, ({ finding }) => `${finding.level} ${finding.subject}`)
  return kinds.flatMap(([, ofKind]) => {
    const groups = groupBy(ofKind, ({ finding }) => finding.finding)
    const told = groups.slice(0, most).map(([, who]) => merged(who, processes.length))
    const rest = groups.slice(most).flatMap(([, who]) => who)
    const [one] = rest
    if (one === undefined) return told
    const { level, subject } = one.finding
    return [...told, { level, subject, finding: `the like in ${formatWho(rest)}`, ranks: rest.map(({ rank }) => rank) }]
  })
}

function merged(
  who: readonly { readonly finding: Finding; readonly rank: number; readonly host: string }[],
  all: number,
): Finding {
  const { finding } = who[0] as { readonly finding: Finding }
  if (finding.level === 'ok' || all === 1) return finding
  const ranks = who.map(({ rank }) => rank)
  if (who.length === all) return { ...finding, finding: `${finding.finding} (all processes)`, ranks }
  return { ...finding, finding: `${formatWho(who)}: ${finding.finding}`, ranks }
}
