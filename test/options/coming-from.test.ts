import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ownTables } from '../../src/options/command-table.ts'
import { daskTable } from '../../src/options/dask-table.ts'
import { flagOf } from '../../src/options/names.ts'
import { runTable } from '../../src/options/table.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/coming-from.md'), 'utf8')

it('what coming-from.md has in the right columns of its tables are flags of this program', () => {
  const names = [runTable, daskTable, ...Object.values(ownTables)].flatMap((table) => Object.keys(table))
  const known = new Set(names.map(flagOf).flatMap((flag) => [flag, flag.replace('--', '--no-')]))
  // Of Slurm, and of mpirun.
  for (const other of ['--nodes', '--cpus-per-task', '--mem', '--hostfile']) known.add(other)
  const rows = page.split('\n').filter((line) => line.startsWith('|'))
  const flags = rows.flatMap((row) => (row.split('|').at(-2) ?? '').match(/--[a-z][a-z-]*/g) ?? [])
  expect(flags.length).toBeGreaterThan(40)
  expect(flags.filter((flag) => !known.has(flag))).toEqual([])
})
