import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { expect } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'
import { mpich, mpiTest, startRanks } from '../support/mpi.ts'

const source = resolve(import.meta.dirname, '../../fixtures/mpi/standard-abi.c')
const hasCompiler = spawnSync('cc', ['--version']).status === 0

/** Builds the stand-in; gives its path. */
function compile(cluster: Cluster): string {
  const library = join(cluster.directory, 'bin/libmpi_abi.so.0')
  const compiled = spawnSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl'], { encoding: 'utf8' })
  expect(compiled.status, compiled.stderr).toBe(0)
  return library
}

mpiTest('a library of the standard ABI is called by its own handles', async ({ skip }) => {
  skip(!hasCompiler, 'there is no C compiler')
  await using cluster = await Cluster.make()
  const client = ['--', 'python3', join(programs, 'workers.py'), '2']
  const run = startRanks(cluster, mpich, 4, ['run', '--mpi-library', compile(cluster), ...client])
  await run.expectStatus(0)
  expect(run.stdout).toContain('workers [2, 3]\nresult 21 on 2\n')
  expect(run.stderr).toContain('libmpi_abi.so.0 (Stand-in of the standard ABI)')
  await cluster.expectNothingLeft()
})

mpiTest('an MPI_Finalize that never returns is given up, and the run goes on', async ({ skip }) => {
  skip(!hasCompiler, 'there is no C compiler')
  await using cluster = await Cluster.make()
  const client = ['--', 'python3', join(programs, 'workers.py'), '2']
  const args = ['run', '--mpi-library', compile(cluster), ...client]
  const run = startRanks(cluster, mpich, 3, args, { STAND_IN_HANGS: '1' })
  // Hydra takes a process that has not left MPI for one that has failed, so its status says nothing here.
  await run.ended
  expect(run.stdout).toContain('workers [2]\nresult 21 on 2\n')
  expect(run.stderr).toContain('[1 client] warn: MPI_Finalize did not return')
  await cluster.expectNothingLeft()
})
