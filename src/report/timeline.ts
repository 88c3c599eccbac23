import type { Recording, ReportedRank } from '../record/run-report.ts'
import { type Html, markup } from './html.ts'
import { table } from './table.ts'
import { firstOf, formatSpan } from './words.ts'

/** Ranks that a page shows; those of which there is something to say come first. */
const mostRows = 100

/** When each rank came and ended. */
export function drawTimeline({ ranks, ranks_left_out }: Recording, end: number): Html {
  const isOdd = ({ why, came }: ReportedRank): boolean => why !== undefined || came === null
  const all = [...ranks.filter(isOdd), ...ranks.filter((rank) => !isOdd(rank))]
  const { shown, more } = firstOf(all, mostRows, 'ranks in the JSON report')
  const inOrder = shown.toSorted((a, b) => a.rank - b.rank)
  const leftOut = ranks_left_out === 0 ? '' : `; ${ranks_left_out.toLocaleString('en')} ranks are in no report`
  return markup`${table({
    caption: `When each rank came and ended, in ${formatSpan(end)}`,
    head: ['Rank', 'Host', 'Came', 'Ended', 'Time'],
    rows: inOrder.map((rank) => [
      markup`${rank.rank} <span class="role">${rank.roles.join(', ')}</span>`,
      rank.host ?? '–',
      rank.came === null ? 'never' : formatSpan(rank.came),
      markup`${rank.ended === null ? 'with the run' : formatSpan(rank.ended)}${rank.why === undefined ? undefined : markup`<br><span class="why">${rank.why}</span>`}`,
      drawBar(rank, end),
    ]),
  })}${more === '' && leftOut === '' ? undefined : markup`<p>${more}${leftOut}.</p>`}`
}

/** Pale until its worker was there. The cells beside it say the same. */
function drawBar({ came, up, ended, why }: ReportedRank, end: number): Html {
  if (came === null || end <= 0) return markup``
  const at = (seconds: number): number => Math.round(Math.min(1, Math.max(0, seconds / end)) * 1000) / 10
  const [from, ready, to] = [at(came), at(up ?? came), at(ended ?? end)]
  const look = why === undefined ? 'one' : 'five'
  const bar = (kind: string, start: number): Html =>
    markup`<rect class="${kind}" x="${start}" width="${Math.max(0.5, to - start)}" height="10"/>`
  return markup`<svg aria-hidden="true" class="bar" viewBox="0 0 100 10" preserveAspectRatio="none">${bar(`pale ${look}`, from)}${bar(look, ready)}</svg>`
}
