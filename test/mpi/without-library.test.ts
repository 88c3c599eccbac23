import { join } from 'node:path'
import { expect } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'
import { launchers, mpich, mpiTest, openMpi, startRanks, startRanksAlone } from '../support/mpi.ts'

const workers = ['--', 'python3', join(programs, 'workers.py'), '2']

mpiTest('without koffi the ranks of mpirun meet at the scheduler file, and say what to install', async () => {
  await using cluster = await Cluster.make()
  const run = await startRanksAlone(cluster, openMpi, 4, ['run', ...workers])
  await run.expectStatus(0)
  expect(run.stdout).toContain('workers [2, 3]\nresult 21 on 2\n')
  expect(run.stderr).toContain(
    '[0 scheduler] the processes meet at the scheduler file, because the package koffi is not installed; ' +
      'install it with "npm install koffi"\n',
  )
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

mpiTest('without koffi and without anything unique to the run, nothing is started', async () => {
  await using cluster = await Cluster.make()
  const run = await startRanksAlone(cluster, mpich, 4, ['run', ...workers])
  await run.expectStatus(78)
  expect(run.stderr).toContain('install it with "npm install koffi"')
  expect(run.stderr).toContain('such as --run-id "$(date +%s)"')
  await cluster.expectNothingLeft()
})

mpiTest('a run id makes up for it', async () => {
  await using cluster = await Cluster.make()
  const run = await startRanksAlone(cluster, mpich, 4, ['run', '--run-id', 'monday', ...workers])
  await run.expectStatus(0)
  expect(run.stdout).toContain('workers [2, 3]\nresult 21 on 2\n')
  expect(run.stderr).toContain('/scheduler-mpi.monday.json')
  await cluster.expectNothingLeft()
})

mpiTest('--mpi-library none goes by the file, and a client that fails is told of there too', async () => {
  await using cluster = await Cluster.make()
  const args = ['run', '--mpi-library', 'none', '--', 'python3', join(programs, 'end.py'), '3']
  const run = startRanks(cluster, openMpi, 4, args)
  await run.expectStatus(3)
  expect(run.stderr).toContain('the processes meet at the scheduler file, because --mpi-library none says so')
  await cluster.expectNothingLeft()
})

for (const [launcher, wrong] of [
  [openMpi, mpich.library],
  [mpich, openMpi.library],
] as const) {
  mpiTest(`${launcher.name}: the library of another launcher is refused, and no second cluster started`, async () => {
    await using cluster = await Cluster.make()
    const run = startRanks(cluster, launcher, 4, ['run', '--mpi-library', wrong, ...workers])
    await run.expectStatus(78)
    expect(run.stderr).toMatch(/the MPI library says rank 0 of 1, but the launcher says \w+=\d of \w+=4/)
    expect(run.stdout).toBe('')
    // Open MPI leaves that of a process that was alone.
    cluster.expectTemporary('ompi.*')
    await cluster.expectNothingLeft()
  })
}

mpiTest('a library that cannot be loaded is an error where it was named', async () => {
  await using cluster = await Cluster.make()
  const run = startRanks(cluster, openMpi, 2, ['run', '--mpi-library', 'libno-such-mpi.so', ...workers])
  await run.expectStatus(78)
  expect(run.stderr).toContain('Cannot use the MPI library "libno-such-mpi.so"')
  const none = startRanks(cluster, openMpi, 2, ['run', '--mpi-library', 'libc.so.6', ...workers])
  await none.expectStatus(78)
  expect(none.stderr).toContain('is neither Open MPI nor one of MPICH')
  await cluster.expectNothingLeft()
})

for (const launcher of launchers) {
  mpiTest(`${launcher.name}: plan says who would do what, which runner it is, and how they meet`, async () => {
    await using cluster = await Cluster.make()
    const run = startRanks(cluster, launcher, 2, ['plan'])
    await run.expectStatus(0)
    expect(run.stdout).toMatch(/^0 .* scheduler, client, worker$/m)
    expect(run.stdout).toMatch(/^this process: rank 1 of 2 on /m)
    expect(run.stdout).toMatch(/^runner: mpi, because \w+ is "1", so an MPI launcher started this process$/m)
    expect(run.stdout).toMatch(/^rendezvous: by a broadcast over MPI: libmpi/m)
    await cluster.expectNothingLeft()
  })
}
