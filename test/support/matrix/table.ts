import { markdownTable } from '../markdown.ts'
import type { Cell, CellResult } from './cell.ts'

/** What stands before the table. */
const head = `# Matrix

What the program runs on: from a base each axis is varied, and in each cell the same steps are run. They are clean runs of the first Python example
of README.md, a program that exits with 3, a killed scheduler, a killed program, a killed worker, \`wait\`, \`status\` and
\`stop\` at a cluster without a program, and the first TypeScript example. After each step no process and no file may be left. The versions
are those that the cell was seen to have; \`npm run matrix\` repeats it, and writes this page with \`--table\`. Slurm has
four hosts on one machine; MPI and \`local\` have one.`

/** Results as a page in Markdown, one row for each cell. */
export function formatPage(rows: readonly (readonly [cell: Cell, result: CellResult | undefined])[]): string {
  const columns = ['cell', 'axis', 'Dask', 'Python', 'Node', 'launcher', 'filesystem', 'day', 'seconds', 'result']
  const lines = rows.map(([cell, result]) => {
    const { dask = '', python = '', node = '', launcher = '', filesystem = '' } = result?.versions ?? {}
    const day = result?.date.slice(0, 10) ?? ''
    const seconds = result === undefined ? '' : Math.round(result.seconds)
    const versions = [dask, python, node, launcher, filesystem]
    return ['`' + cell.name + '`', cell.axis, ...versions, day, seconds, formatResult(cell, result)]
  })
  return `${head}\n\n${markdownTable(columns, lines)}\n`
}

/** Whether all of a cell holds, but for what is known not to. */
export function isGood(cell: Cell, result: CellResult): boolean {
  return problemsOf(cell, result).length === 0
}

/** What does not hold and is not known not to, and what holds although it is known not to. */
export function problemsOf({ limits = {} }: Cell, { steps, missing }: CellResult): string[] {
  if (missing !== undefined) return []
  if (steps.length === 0) return ['no step was run']
  return steps.flatMap(({ name, problem }) => {
    if (limits[name] !== undefined) return problem === undefined ? [`${name}: holds, although its limit is known`] : []
    return problem === undefined ? [] : [`${name}: ${problem.split('\n').slice(0, 2).join(' ')}`]
  })
}

/** One sentence on a result. */
export function formatResult(cell: Cell, result: CellResult | undefined): string {
  if (result === undefined) return 'not run'
  if (result.missing !== undefined) return `not here: ${result.missing}`
  const problems = problemsOf(cell, result)
  if (problems.length > 0) return `**no**: ${problems.join('; ')}`
  const known = Object.entries(cell.limits ?? {}).map(([name, limit]) => `${name}: ${limit}`)
  const count = result.steps.length - known.length
  return known.length === 0 ? `all ${count} steps hold` : `${count} steps hold; ${known.join('; ')}`
}
