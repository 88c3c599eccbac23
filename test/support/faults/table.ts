import { markdownTable } from '../markdown.ts'
import type { Cell } from './cell.ts'
import type { CellResult } from './judge.ts'

/** The results as a table in Markdown, one row for each cell. */
export function table(rows: readonly { readonly cell: Cell; readonly result: CellResult }[]): string {
  const head = [
    'cell',
    'who',
    'fault',
    'when',
    'bound',
    'last process',
    '`srun`',
    'status',
    'told',
    'sentence',
    'holds',
  ]
  const lines = rows.map(({ cell, result }) => {
    const { end, bound, srunBound } = result
    const bounds = srunBound > bound + 2 ? `${bound} s, \`srun\` ${srunBound} s` : `${bound} s`
    const holds = result.problems.length === 0 ? 'yes' : `**no**: ${result.problems.join('; ')}`
    const measured = [seconds(end.processes), seconds(end.srun), result.status ?? '-', result.told]
    return ['`' + cell.name + '`', cell.actor, cell.fault, cell.moment, bounds, ...measured, result.sentence, holds]
  })
  return markdownTable(head, lines)
}

function seconds(value: number | undefined): string {
  return value === undefined ? 'hangs' : `${value.toFixed(1)} s`
}
