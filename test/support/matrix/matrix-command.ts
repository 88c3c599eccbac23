import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { matches } from '../matches.ts'
import { Results } from '../results.ts'
import { program, root } from '../slurm/directory.ts'
import type { CellResult, Machine } from './cell.ts'
import { cells } from './cells.ts'
import { startCell } from './start-cell.ts'
import { formatPage, formatResult, isGood } from './table.ts'

const usage = `npm run matrix -- [options]: the program on each Dask, Python, Slurm, MPI, Node and filesystem that can be had here
  --only NAME     only this cell; may be repeated; * stands for anything
  --clean N       so many clean runs in each cell (default 3)
  --resume        run no cell that has a result of this build
  --table FILE    write a page with all results, the newest of each cell
  --list          only name the cells`

/** Runs the matrix. Gives the exit status: 1 where a cell does not hold. */
export async function main(args: string[], machine: Machine): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true },
      clean: { type: 'string', default: '3' },
      resume: { type: 'boolean', default: false },
      table: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    say(usage)
    return 0
  }
  const wanted = cells.filter(({ name }) => values.only?.some((pattern) => matches(name, pattern)) ?? true)
  if (wanted.length === 0) throw new Error(`Cannot find a cell "${values.only?.join(' ') ?? ''}"; --list names them`)
  if (values.list) {
    for (const { name } of wanted) say(name)
    return 0
  }
  const folder = join(root, '.cache/matrix')
  const results = await Results.in<CellResult>(
    folder,
    cells.map(({ name }) => name),
  )
  const build = await buildOf()
  for (const cell of wanted) {
    if (values.resume && results.get(cell.name)?.build === build) continue
    const began = performance.now()
    const { output, ...report } = await startCell(cell, machine, { clean: Number(values.clean), folder })
    const seconds = (performance.now() - began) / 1000
    const date = new Date().toISOString()
    const result: CellResult = { cell: cell.name, commit: commit(), build, date, seconds, ...report, output }
    await results.set(result)
    say(
      `${isGood(cell, result) ? 'ok  ' : 'FAIL'} ${cell.name}: ${formatResult(cell, result)}, ${seconds.toFixed(0)} s`,
    )
  }
  if (values.table !== undefined) {
    await writeFile(values.table, formatPage(cells.map((cell) => [cell, results.get(cell.name)] as const)))
  }
  const failed = wanted.filter((cell) => {
    const result = results.get(cell.name)
    return result === undefined || !isGood(cell, result)
  })
  say(`${wanted.length - failed.length} of ${wanted.length} cells hold or cannot be had here`)
  return failed.length === 0 ? 0 : 1
}

/** What this build of the program is known by. */
async function buildOf(): Promise<string> {
  const text = await readFile(program)
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

function commit(): string {
  return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: root, encoding: 'utf8' }).trim()
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
