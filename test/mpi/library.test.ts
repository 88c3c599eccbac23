import { stripVTControlCharacters } from 'node:util'
import { expect } from 'vitest'
import { Cluster } from '../support/cluster.ts'
import { compile, compileExample } from '../support/library-program.ts'
import { asRoot, launchers, mpiTest } from '../support/mpi.ts'

for (const launcher of launchers) {
  for (const [how, status] of [
    ['dispose', 0],
    ['exit', 3],
  ] as const) {
    mpiTest(`${launcher.name}: a body that ends by ${how} gives ${status}`, async () => {
      await using cluster = await Cluster.make()
      const program = await compile(cluster, 'library')
      const run = cluster.start(launcher.command(3, process.execPath, program, how), asRoot)
      await run.expectStatus(status)
      // In the client's process, and in no other.
      expect(run.stdout.match(/^body 1 workers at tcp:/gm)).toHaveLength(1)
      await cluster.expectNothingLeft()
    })
  }

  mpiTest(`${launcher.name}: mpi.ts of the examples runs its functions in both languages, on rank 2 too`, async () => {
    await using cluster = await Cluster.make()
    const run = cluster.start(launcher.command(4, process.execPath, await compileExample(cluster, 'mpi')), asRoot)
    await run.expectStatus(0)
    // Open MPI gives its ranks a terminal, and Node colours numbers there.
    expect(stripVTControlCharacters(run.stdout)).toBe('10 -> 11\n10 -> 11\n20 -> 21\n20 -> 21\n')
    run.expectNoAlarm()
    await cluster.expectNothingLeft()
  })
}
