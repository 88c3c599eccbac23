import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { loadMpi } from '../../../../src/runners/mpi/library/load.ts'
import { Cluster, python } from '../../../support/cluster.ts'

/** A named pipe that nobody writes into, and that looks like a program. */
function makePipe(path: string): string {
  execFileSync('mkfifo', ['-m', '755', path])
  return path
}

it('a named pipe on PATH under the name of the client program is not read', async () => {
  await using cluster = await Cluster.make()
  makePipe(`${cluster.directory}/bin/client`)
  const run = cluster.run(['local', '-n', '1', '--python', python, '--', 'client'])
  await run.expectStatus(126)
  expect(run.stderr).toContain(
    'Cannot start the client program: client: it is no program that this user may start (EACCES)',
  )
  // It would end, and with a finding, but its process could not.
  const doctor = cluster.run(['doctor', '--python', python, '--', 'client'])
  const { status } = await doctor.ended
  expect([0, 78]).toContain(status)
  expect(doctor.stdout).not.toContain('no answer within')
  await cluster.expectNothingLeft()
})

it('no named pipe is loaded as the library of MPI', async () => {
  await using cluster = await Cluster.make()
  const pipe = makePipe(`${cluster.directory}/pipe`)
  expect(() => loadMpi(pipe, {})).toThrow(`the library "${pipe}" is no regular file`)
})
