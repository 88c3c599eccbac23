import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Cluster } from '../support/cluster.ts'
import { pythonBlocks } from '../support/python-blocks.ts'
import { asRoot, mpiTest, openMpi, startRanks } from '../support/mpi.ts'

/** Stand-ins for the packages that programs import which were written for other ways to start Dask. */
const existing = join(import.meta.dirname, '../../fixtures/existing')
const env = { PYTHONPATH: existing }

mpiTest('a program of dask_mpi that calls initialize() only where there is no cluster runs both ways', async () => {
  await using cluster = await Cluster.make()
  // Dask's own workers leave it.
  for (const name of ['dask-worker-space', 'dask-scratch-space']) cluster.expectTemporary(name)
  cluster.expectFile('script.py')
  await writeFile(cluster.path('script.py'), pythonBlocks('coming-from.md')[2] ?? '')
  const program = ['python3', 'script.py']
  const alone = cluster.start(openMpi.command(3, ...program), { ...asRoot, ...env })
  await alone.expectStatus(0)
  expect(alone.stdout).toContain('6\n')
  const run = startRanks(cluster, openMpi, 3, ['run', '--', ...program], env)
  await run.expectStatus(0)
  expect(run.stdout).toBe('6\n')
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

mpiTest('one that always calls initialize() is told to leave it out, and fails', async () => {
  await using cluster = await Cluster.make()
  const run = startRanks(cluster, openMpi, 1, ['run', '--', 'python3', join(existing, 'mpi_unchanged.py')], env)
  await run.expectStatus(1)
  expect(run.stderr).toContain('three ranks, and there is a world of 1')
  expect(run.stderr).toContain('mpi_unchanged.py" imports dask_mpi, and if it calls initialize() here, that fails')
  await cluster.expectNothingLeft()
})
