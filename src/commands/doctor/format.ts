/** A process of the run by its rank, and its host. */
export interface Who {
  readonly rank: number
  readonly host: string
}

/** How many hosts or ranges are named before the rest is only counted. */
const most = 8

/** Processes as a person would name them: `rank 2 (node2)`, `ranks 0-2, 4 (node0, node1)`. */
export function formatWho(processes: readonly Who[]): string {
  const sorted = processes.toSorted((a, b) => a.rank - b.rank)
  const ranks = rangesOf(sorted.map(({ rank }) => rank))
  const hosts = [...new Set(sorted.map(({ host }) => host))]
  return `${processes.length === 1 ? 'rank' : 'ranks'} ${someOf(ranks)} (${someOf(hosts)})`
}

/** Ranks in their order, those that follow each other as one: `0-2`. */
function rangesOf(ranks: readonly number[]): string[] {
  const ranges: [number, number][] = []
  for (const rank of ranks) {
    const last = ranges.at(-1)
    if (last?.[1] === rank - 1) last[1] = rank
    else ranges.push([rank, rank])
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
}

function someOf(names: readonly string[]): string {
  if (names.length <= most) return names.join(', ')
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`
}
