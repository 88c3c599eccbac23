import { expect, it } from 'vitest'
import type { Cell, CellResult, StepResult } from './cell.ts'
import { cells } from './cells.ts'
import { pythonExample, typescriptExample } from './examples.ts'
import { steps } from './steps.ts'
import { formatPage, isGood } from './table.ts'

const cell: Cell = { name: 'node-24', axis: 'Node', launcher: 'slurm', filesystem: 'tmpfs' }
const limited: Cell = { ...cell, limits: { stop: 'Slurm 1.0 knows no stop' } }
const start: StepResult = { name: 'start', seconds: 1 }
const stop: StepResult = { name: 'stop', seconds: 2 }
const failed: StepResult = { ...stop, problem: 'ended with 1 | not with 0:\nfirst line\nsecond line' }

function result(steps: readonly StepResult[], more: Partial<CellResult> = {}): CellResult {
  return {
    ...{ cell: cell.name, commit: 'abc1234', build: '', date: '2026-11-29T15:20:00.000Z', seconds: 61.4, output: '' },
    steps,
    ...more,
  }
}

/** The last columns of a cell's row, from the day on. */
function rowOf(of: Cell, seen: CellResult | undefined): string[] {
  const line =
    formatPage([[of, seen]])
      .trimEnd()
      .split('\n')
      .at(-1) ?? ''
  return line
    .split(/(?<!\\)\|/)
    .slice(8, -1)
    .map((column) => column.trim())
}

it('a row has the versions that were seen, the day and how long it took', () => {
  const versions = {
    dask: '2022.12.1',
    python: '3.11.2',
    node: '24.1.0',
    launcher: 'Slurm 22.05.8',
    filesystem: 'tmpfs',
  }
  expect(formatPage([[cell, result([start, stop], { versions })]])).toMatch(
    /\n\n\| cell \|.*\n\| --- \|.*\n\| `node-24` \| Node \| 2022.12.1 \| 3.11.2 \| 24.1.0 \| Slurm 22.05.8 \| tmpfs \| 2026-11-29 \| 61 \| all 2 steps hold \|\n$/,
  )
})

it('a step that fails is named with the first lines of why, and the cell does not hold', () => {
  const seen = result([start, failed])
  expect(rowOf(cell, seen)).toEqual([
    '2026-11-29',
    '61',
    String.raw`**no**: stop: ended with 1 \| not with 0: first line`,
  ])
  expect(isGood(cell, seen)).toBe(false)
})

it('a step whose limit is known counts, with the sentence that says whose it is', () => {
  const seen = result([start, failed])
  expect(rowOf(limited, seen).at(-1)).toBe('1 steps hold; stop: Slurm 1.0 knows no stop')
  expect(isGood(limited, seen)).toBe(true)
})

it('a known limit that is gone is a failure, so that its sentence goes too', () => {
  const seen = result([start, stop])
  expect(rowOf(limited, seen).at(-1)).toBe('**no**: stop: holds, although its limit is known')
  expect(isGood(limited, seen)).toBe(false)
})

it('a cell that cannot be had here, one that was not run and one without a step have rows', () => {
  expect(rowOf(cell, result([], { missing: 'this kernel has not got it' })).at(-1)).toBe(
    'not here: this kernel has not got it',
  )
  expect(rowOf(cell, undefined)).toEqual(['', '', 'not run'])
  expect(isGood(cell, result([]))).toBe(false)
})

it('every cell has a name of its own, and limits of steps that there are', () => {
  expect(new Set(cells.map(({ name }) => name)).size).toBe(cells.length)
  const names = steps.map(({ name }) => name)
  for (const { limits = {} } of cells) for (const name of Object.keys(limits)) expect(names).toContain(name)
})

it("README.md's examples are found, with what they print", async () => {
  expect((await pythonExample()).text).toContain('client.submit(sum, [1, 2, 3])')
  expect((await typescriptExample('slurm')).prints).toEqual(['11 21'])
  expect((await typescriptExample('local')).prints).toEqual(['[ 2, 4, 6 ]'])
  const { text, prints } = await typescriptExample('mpich')
  expect(text).toContain('MPIRunner.start()')
  expect(text).not.toContain('SLURMRunner')
  expect(prints).toEqual(['11 21'])
})
