import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { matches } from '../matches.ts'
import { Results } from '../results.ts'
import { program, root } from '../slurm/directory.ts'
import { SlurmCluster } from '../slurm/slurm-cluster.ts'
import type { Cell } from './cell.ts'
import { cells, noCells } from './cells.ts'
import type { CellResult } from './judge.ts'
import { defaultLimits, shortLimits } from './limits.ts'
import { HostPool, several, Turns, wordsOf } from './pool.ts'
import { ProcessTable } from './process-table.ts'
import { runCell } from './run-cell.ts'
import { table } from './table.ts'

const usage = `npm run faults -- [options]: runs the cells of the fault matrix on a Slurm of this machine
  --cell NAME     only this cell; may be repeated; * stands for anything
  --chosen        only the cells that npm test runs
  --short         with bounds that flags make short
  --secure        each run with --secure
  --jobs N        so many cells at a time (default 8)
  --seconds N     start no more cells after so long; those that have a result of this build are not run again with --resume
  --resume        take the results of this build for what they are
  --give-up N     watch a run that should have ended for so many seconds (default 90)
  --table FILE    write the table of all results of this build
  --list          only name the cells`

/** Runs the fault matrix. Gives the exit status: 1 where a cell does not hold. */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      cell: { type: 'string', multiple: true },
      chosen: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
      secure: { type: 'boolean', default: false },
      jobs: { type: 'string', default: '8' },
      seconds: { type: 'string', default: 'Infinity' },
      resume: { type: 'boolean', default: false },
      'give-up': { type: 'string', default: '90' },
      table: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    say(usage)
    return 0
  }
  const wanted = cells.filter(
    ({ name, chosen }) =>
      (!values.chosen || chosen === true) && (values.cell?.some((pattern) => matches(name, pattern)) ?? true),
  )
  if (wanted.length === 0) throw new Error(`Cannot find a cell "${values.cell?.join(' ') ?? ''}"; --list names them`)
  if (values.list) {
    for (const { name } of wanted) say(name)
    return 0
  }
  const limits = values.short ? shortLimits : defaultLimits
  const folder = await folderOf(`${values.short ? 'short' : 'default'}${values.secure ? '-secure' : ''}`)
  const names = cells.map(({ name }) => name)
  const results = await Results.in<CellResult>(folder, names)
  const open = values.resume ? wanted.filter(({ name }) => results.get(name) === undefined) : wanted
  const until = performance.now() + Number(values.seconds) * 1000
  if (open.length > 0 && Number(values.seconds) > 0) {
    const own = open.some(({ ownHosts }) => ownHosts === true)
    await using slurm = await SlurmCluster.start({
      hosts: HostPool.hostsFor(Number(values.jobs), own),
      settings: { KillWait: String(limits.killWait) },
    })
    const pool = new HostPool(slurm.nodes)
    const processes = new ProcessTable(slurm)
    const { secure } = values
    const giveUp = Number(values['give-up'])
    const place = { slurm, table: processes, secure, limits, starting: new Turns(2), giveUp }
    await several(open, Number(values.jobs), async (cell) => {
      if (performance.now() > until) return
      const result = await pool.use(cell.ownHosts === true, async (hosts) => await safely(cell, { ...place, hosts }))
      await results.set(result)
      say(formatResult(result))
    })
  }
  const rows = wanted.flatMap((cell) => {
    const result = results.get(cell.name)
    return result === undefined ? [] : [{ cell, result }]
  })
  if (values.table !== undefined) {
    const why = noCells.map(([what, because]) => `- ${what}: ${because}`).join('\n')
    await writeFile(values.table, `${table(rows)}\n\nNo cells:\n\n${why}\n`)
  }
  const failed = rows.filter(({ result }) => result.problems.length > 0)
  say(`${rows.length - failed.length} of ${rows.length} cells hold, ${wanted.length - rows.length} not run`)
  return failed.length === 0 && rows.length === wanted.length ? 0 : 1
}

/** What goes wrong in the harness, or before the fault, is the cell's result too. */
async function safely(cell: Cell, place: Parameters<typeof runCell>[1]): Promise<CellResult> {
  try {
    return await runCell(cell, place)
  } catch (error) {
    const message = wordsOf(error)
    const end = { processes: undefined, all: undefined, srun: undefined, left: '' }
    const problems = [`not brought about: ${message.split('\n').slice(0, 2).join(' ')}`]
    return {
      ...{ cell: cell.name, problems, bound: 0, srunBound: 0, end, status: undefined, sentence: '', told: 0 },
      output: message,
    }
  }
}

function formatResult({ cell, problems, end, status }: CellResult): string {
  const times = `${end.processes?.toFixed(1) ?? '-'} s, srun ${end.srun?.toFixed(1) ?? '-'} s, status ${status ?? '-'}`
  return `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${cell}: ${times}${problems.map((problem) => `\n     ${problem.replaceAll('\n', ', ')}`).join('')}`
}

/** Where the results of this build of the program are. */
async function folderOf(kind: string): Promise<string> {
  const build = createHash('sha256')
    .update(await readFile(program))
    .digest('hex')
    .slice(0, 12)
  return join(root, '.cache/faults', `${build}-${kind}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
