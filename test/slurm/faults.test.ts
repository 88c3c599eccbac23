import { expect } from 'vitest'
import type { Cell } from '../support/faults/cell.ts'
import { cells } from '../support/faults/cells.ts'
import { defaultLimits, type Limits, shortLimits } from '../support/faults/limits.ts'
import { HostPool, Turns } from '../support/faults/pool.ts'
import { ProcessTable } from '../support/faults/process-table.ts'
import { runCell } from '../support/faults/run-cell.ts'
import type { SlurmCluster } from '../support/slurm/slurm-cluster.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'

// One cell of the fault matrix for each mechanism: those of each kind at the defaults, the others with bounds that flags
// make short. `npm run faults` runs all of them.
const { killWait } = shortLimits
const test = slurmTest({ hosts: 12, settings: { KillWait: String(killWait) } })

const turns = new Turns(6)
/** They mostly wait, but starts at the same time would measure each other. */
const starting = new Turns(2)
const pools = new WeakMap<SlurmCluster, { pool: HostPool; table: ProcessTable }>()

async function expectToHold(cell: Cell, slurm: SlurmCluster, limits: Limits): Promise<void> {
  const { pool, table } = pools.get(slurm) ?? { pool: new HostPool(slurm.nodes), table: new ProcessTable(slurm) }
  pools.set(slurm, { pool, table })
  const { problems, output } = await turns.take(async () =>
    pool.use(
      cell.ownHosts === true,
      async (hosts) =>
        await runCell(cell, {
          ...{ slurm, hosts, table, secure: false, limits, starting, giveUp: 0 },
          toleratesSlowness: true,
        }),
    ),
  )
  expect(problems, output).toEqual([])
}

test.concurrent.for(cells.filter(({ atDefaults }) => atDefaults === true))(
  '$name, at the defaults',
  async (cell, { slurm }) => {
    await expectToHold(cell, slurm, { ...defaultLimits, killWait })
  },
)

test.concurrent.for(cells.filter(({ chosen, atDefaults }) => chosen === true && atDefaults !== true))(
  '$name',
  async (cell, { slurm }) => {
    await expectToHold(cell, slurm, shortLimits)
  },
)
