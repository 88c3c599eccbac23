import { expect } from 'vitest'
import { Cluster, program } from '../support/cluster.ts'
import { expectNothingFound } from '../support/doctor-report.ts'
import { launchers, mpich, mpiTest, openMpi, startRanks, startRanksAlone } from '../support/mpi.ts'

for (const launcher of launchers) {
  mpiTest(`${launcher.name}: doctor has the ranks meet, and rank 0 says which library does it`, async () => {
    await using cluster = await Cluster.make()
    const doctor = startRanks(cluster, launcher, 3, ['doctor', '--timeout', '4m'])
    await doctor.expectStatus(0)
    expect(doctor.stdout).toMatch(/^ok +identity +rank 0 of 3 on /m)
    expect(doctor.stdout).toMatch(/^ok +runner +mpi, because \w+ is "0", so an MPI launcher started this process$/m)
    expect(doctor.stdout).toMatch(
      new RegExp(
        String.raw`^ok +mpi +the processes meet by a broadcast over MPI: ${launcher.library} \(.*\), called as`,
        'm',
      ),
    )
    expect(doctor.stdout).toMatch(/^ok +mpi +all 3 processes have met so$/m)
    // The others have nothing to add.
    expectNothingFound(doctor.stdout)
    await cluster.expectNothingLeft()
  })
}

mpiTest('doctor names the library of another launcher, which would make a world of each rank', async () => {
  await using cluster = await Cluster.make()
  const doctor = startRanks(cluster, openMpi, 2, ['doctor', '--mpi-library', mpich.library])
  await doctor.expectStatus(78)
  expect(doctor.stdout).toMatch(/^problem +mpi .*the MPI library says rank 0 of 1, but the launcher says OMPI_/m)
  await cluster.expectNothingLeft()
})

mpiTest('doctor says what to install, and what the file way lacks under this launcher', async () => {
  await using cluster = await Cluster.make()
  const doctor = await startRanksAlone(cluster, mpich, 2, ['doctor'])
  await doctor.expectStatus(78)
  expect(doctor.stdout).toMatch(/^note +mpi +.*because the package koffi is not installed\n +-> install it with "npm/m)
  expect(doctor.stdout).toMatch(/^problem +mpi +this launcher says nothing that is unique to a run/m)
  await cluster.expectNothingLeft()
})

mpiTest('doctor gives up a rank that never comes', async () => {
  await using cluster = await Cluster.make()
  const script = '[ "$PMI_RANK" = 1 ] && exec sleep 600; exec "$@"'
  const [command, ...rest] = mpich.command(2, 'sh', '-c', script, 'sh')
  const doctor = cluster.start([command, ...rest, process.execPath, program, 'doctor', '--timeout', '2s'])
  await doctor.expectOutput('1 problem')
  expect(doctor.stdout).toMatch(/^problem +mpi +Cannot meet the other processes over MPI: MPI_Init, .* within 2 s$/m)
  doctor.signal('SIGTERM')
  await doctor.ended
  await cluster.expectNothingLeft()
})
