import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const directory = join(import.meta.dirname, '../../.cache/bench')
const colours = ['#1b6ca8', '#c95d18', '#3f8f4f', '#8a4fa3']
const [width, height, left, top] = [420, 260, 60, 40]

/** Curves over the number of processes, both axes logarithmic. */
export interface Panel {
  readonly title: string
  readonly series: Readonly<Record<string, readonly (readonly [number, number])[]>>
}

/** Draws panels one below the other as `.cache/bench/NAME.svg`. */
export async function curves(name: string, panels: readonly Panel[]): Promise<void> {
  const each = top + height + 116
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width + 40}" height="${each * panels.length}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...panels.flatMap((panel, i) => [`<g transform="translate(0 ${each * i})">`, ...drawPanel(panel), '</g>']),
    '</svg>',
  ]
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, `${name}.svg`), `${svg.join('\n')}\n`)
}

function drawPanel({ title, series }: Panel): string[] {
  const points = Object.values(series).flat()
  const range = (values: readonly number[]): readonly [number, number] => [
    Math.floor(Math.log10(Math.min(...values))),
    Math.ceil(Math.log10(Math.max(...values))),
  ]
  const [x0, x1] = range(points.map(([x]) => x))
  const [y0, y1] = range(points.map(([, y]) => y))
  const x = (value: number): string => (left + ((Math.log10(value) - x0) / (x1 - x0)) * width).toFixed(1)
  const y = (value: number): string => (top + height - ((Math.log10(value) - y0) / (y1 - y0)) * height).toFixed(1)
  const decades = (from: number, to: number): number[] =>
    Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i))
  return [
    `<text x="${left}" y="20" font-size="14">${title}</text>`,
    ...decades(x0, x1).map(
      (value) => `<text x="${x(value)}" y="${top + height + 18}" text-anchor="middle">${value}</text>`,
    ),
    ...decades(y0, y1).map(
      (value) =>
        `<text x="${left - 6}" y="${y(value)}" text-anchor="end">${Number(value.toPrecision(1))}</text>` +
        `<path d="M${left} ${y(value)}H${left + width}" stroke="#ddd"/>`,
    ),
    ...Object.entries(series).flatMap(([name, line], i) => [
      `<path d="M${line.map(([a, b]) => `${x(a)} ${y(b)}`).join('L')}" fill="none" stroke="${colours[i] ?? ''}" stroke-width="2"/>`,
      `<text x="${left}" y="${top + height + 38 + i * 16}" fill="${colours[i] ?? ''}">&#9632; ${name}</text>`,
    ]),
  ]
}
