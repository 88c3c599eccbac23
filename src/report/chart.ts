import type { Curve } from '../record/run-report.ts'
import { type Html, markup } from './html.ts'
import { extentOf } from './numbers.ts'
import { formatValue, type Scale, timeScale, type Unit, valueScale } from './scale.ts'
import { table } from './table.ts'
import { formatSpan } from './words.ts'

/** A line of a chart. */
export interface Line {
  readonly name: string
  readonly curve: Curve | undefined
  /** How it looks: the lines differ in more than their colour. */
  readonly look: 'one' | 'two' | 'three' | 'four' | 'five' | 'limit'
}

/** A chart: lines over the time of the run. */
export interface Chart {
  /** Of one in the page. */
  readonly id: string
  readonly title: string
  readonly unit: Unit
  readonly lines: readonly Line[]
  /** When the samples were taken. In seconds, as the end. */
  readonly at: readonly number[]
  readonly end: number
}

// The room of the lines within that of the chart. Its units are pixels on a phone, and more elsewhere.
const [width, height] = [360, 176]
const [left, right, top, bottom] = [52, 350, 8, 148]

/** Draws it as a figure, with its numbers in words and in a table. Undefined where nothing was seen of any of its lines. */
export function drawChart(chart: Chart): Html | undefined {
  const { id, title, unit, at, end } = chart
  const lines = chart.lines.filter(({ curve }) => extentOf(curve) !== undefined)
  if (lines.length === 0) return undefined
  const most = Math.max(...lines.map(({ curve }) => extentOf(curve)?.most ?? 0))
  const [x, y] = [timeScale(Math.max(end, at.at(-1) ?? 0, 0.1)), valueScale(most, unit)]
  const words = lines.map((line) => `${line.name}: ${inWords(line, unit)}`)
  return markup`<figure>
<h3 id="${id}">${title}</h3>
<svg role="img" aria-labelledby="${id}-title ${id}-desc" viewBox="0 0 ${width} ${height}">
<title id="${id}-title">${title} over the time of the run</title>
<desc id="${id}-desc">${words.join('. ')}.</desc>
${axes(x, y, unit)}${lines.map((line) => drawLine(line, at, x, y))}
</svg>
<ul class="legend">${lines.map(({ look }, i) => markup`<li>${keyOf(look)}${words[i]}</li>`)}</ul>
<details><summary>Numbers of &ldquo;${title}&rdquo;</summary>${numbers(chart, lines)}</details>
</figure>
`
}

function keyOf(look: Line['look']): Html {
  return markup`<svg aria-hidden="true" viewBox="0 0 24 8" class="key"><path class="line ${look}" d="M0 4H24"/></svg>`
}

function inWords({ curve, look }: Line, unit: Unit): string {
  const extent = extentOf(curve)
  if (extent === undefined) return ''
  if (extent.least === extent.most) return `${formatValue(extent.most, unit)} all the time`
  const highest = `${formatValue(extent.most, unit)} at most`
  return look === 'limit' ? highest : `${highest}, ${formatValue(extent.mean, unit)} on average`
}

function axes(x: Scale, y: Scale, unit: Unit): Html {
  const across = y.ticks.map((value) => {
    const at = place(value, y, bottom, top)
    const label = formatValue(value, unit === 'bytes a second' ? 'bytes' : unit)
    return markup`<path d="M${left} ${at}H${right}"/><text x="${left - 5}" y="${at + 4}" text-anchor="end">${label}</text>`
  })
  const along = x.ticks.map((seconds) => {
    const at = place(seconds, x, left, right)
    const label = seconds === 0 ? '0' : formatSpan(seconds)
    return markup`<path d="M${at} ${bottom}v4"/><text x="${at}" y="${bottom + 17}" text-anchor="middle">${label}</text>`
  })
  return markup`<g class="axes">${across}${along}</g>`
}

/** A line is drawn through the means of its samples, on a band from their least to their most. */
function drawLine({ curve, look }: Line, at: readonly number[], x: Scale, y: Scale): Html {
  if (curve === undefined) return markup``
  const { mean } = curve
  const point = (i: number, value: number): string =>
    `${place(at[i] ?? 0, x, left, right)} ${place(value, y, bottom, top)}`
  const runs = runsOf(mean)
  const line = runs.map((run) => `M${run.map((i) => point(i, mean[i] ?? 0)).join('L')}`).join('')
  const lonely = runs.filter((run) => run.length === 1).flat()
  const dots = lonely.map((i) => {
    const [cx, cy] = [place(at[i] ?? 0, x, left, right), place(mean[i] ?? 0, y, bottom, top)]
    return markup`<circle class="dot ${look}" cx="${cx}" cy="${cy}" r="2.5"/>`
  })
  return markup`${band(curve, runs, point, look)}<path class="line ${look}" d="${line}"/>${dots}`
}

function band(
  { least, most }: Curve,
  runs: readonly (readonly number[])[],
  point: (i: number, value: number) => string,
  look: Line['look'],
): Html | undefined {
  if (least === undefined || most === undefined) return undefined
  const areas = runs.map((run) => {
    const above = run.map((i) => point(i, most[i] ?? 0))
    const below = run.map((i) => point(i, least[i] ?? 0)).reverse()
    return `M${[...above, ...below].join('L')}Z`
  })
  return markup`<path class="band ${look}" d="${areas.join('')}"/>`
}

/** Where the line has no gap: the numbers of its samples. */
function runsOf(values: readonly (number | null)[]): readonly (readonly number[])[] {
  const runs: number[][] = []
  for (const [i, value] of values.entries()) {
    if (value === null) continue
    const last = runs.at(-1)
    if (last?.at(-1) === i - 1) last.push(i)
    else runs.push([i])
  }
  return runs
}

function place(value: number, { end }: Scale, from: number, to: number): number {
  const part = Math.min(1, Math.max(0, value / end))
  return Math.round((from + (to - from) * part) * 10) / 10
}

/** Samples of the table of a chart, at most. */
const mostRows = 25

function numbers({ title, unit, at }: Chart, lines: readonly Line[]): Html {
  const step = Math.max(1, Math.ceil(at.length / mostRows))
  const rows = at.flatMap((seconds, i) => {
    if (i % step !== 0 && i !== at.length - 1) return []
    const cells = lines.map(({ curve }) => {
      const value = (curve?.most ?? curve?.mean)?.[i]
      return value === undefined || value === null ? '–' : formatValue(value, unit)
    })
    return [[formatSpan(seconds), ...cells]]
  })
  const caption = `${title}, ${step === 1 ? 'each sample' : `one sample of ${step}`}: the highest in it`
  return table({ caption, head: ['Time', ...lines.map(({ name }) => name)], rows, numbersFrom: 1 })
}
