import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { medianOf } from './table.ts'

/** Where the benchmarks leave what they found. */
export const directory = join(import.meta.dirname, '../../.cache/bench')
const colours = ['#1b6ca8', '#c95d18', '#3f8f4f', '#8a4fa3']

/** Keeps what was measured as `.cache/bench/NAME.json`, with the machine it was measured on. */
export async function note(name: string, values: object): Promise<void> {
  const [cpu] = cpus()
  const machine = { cpus: cpus().length, model: cpu?.model, load: loadavg(), node: process.version }
  await mkdir(directory, { recursive: true })
  await writeFile(
    join(directory, `${name}.json`),
    `${JSON.stringify({ date: new Date().toISOString(), machine, ...values }, undefined, 2)}\n`,
  )
}

/** One group of bars: the values of each contender, in milliseconds. */
export interface Group {
  readonly size: number
  readonly first: Readonly<Record<string, readonly number[]>>
}

/** Draws medians as bars, with a line from the least to the greatest value, as `.cache/bench/NAME.svg`. */
export async function plot(name: string, title: string, groups: readonly Group[]): Promise<void> {
  const series = Object.keys(groups[0]?.first ?? {})
  const top = Math.max(...groups.flatMap(({ first }) => Object.values(first).flat()))
  const [bar, gap, height, base] = [34, 40, 220, 270]
  const y = (value: number): number => base - (value / top) * height
  const width = 60 + groups.length * (series.length * bar + gap)
  const parts = groups.flatMap(({ size, first }, group) => {
    const left = 50 + group * (series.length * bar + gap)
    const bars = series.map((each, i) => {
      const values = first[each] ?? []
      const [x, median] = [left + i * bar, medianOf(values)]
      const middle = x + bar / 2 - 2
      return (
        `<rect x="${x}" y="${y(median).toFixed(1)}" width="${bar - 4}" height="${(base - y(median)).toFixed(1)}" fill="${colours[i] ?? ''}"/>` +
        `<path d="M${middle} ${y(Math.min(...values)).toFixed(1)}V${y(Math.max(...values)).toFixed(1)}" stroke="#222"/>` +
        `<text x="${middle}" y="${base + 14}" text-anchor="middle">${(median / 1000).toFixed(2)}</text>`
      )
    })
    return [
      ...bars,
      `<text x="${left + (series.length * bar) / 2}" y="${base + 30}" text-anchor="middle">${size}</text>`,
    ]
  })
  const legend = series.map(
    (each, i) => `<text x="50" y="${base + 50 + i * 16}" fill="${colours[i] ?? ''}">&#9632; ${each}</text>`,
  )
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${base + 60 + series.length * 16}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="50" y="24" font-size="14">${title}</text>`,
    ...parts,
    ...legend,
    '</svg>',
  ]
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, `${name}.svg`), `${svg.join('\n')}\n`)
}
