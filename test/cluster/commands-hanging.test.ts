import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster } from '../support/cluster.ts'
import { deadSchedulerFile } from '../support/dask.ts'
import { canHang, HangingMount } from '../support/hanging-mount.ts'

/** How long after its deadline a command may take to start and end on a busy machine. In milliseconds. */
const slack = 8_000

test.skipIf(!canHang)(
  'a filesystem that hangs ends wait, status and stop at their deadline, each with 75',
  async () => {
    await using cluster = await Cluster.make()
    const directory = join(cluster.directory, 'mounted')
    await using mount = await HangingMount.of(join(cluster.directory, 'source'), directory)
    const file = join(directory, 'F.json')
    await writeFile(file, (await deadSchedulerFile()).replace('tcp://', 'tls://'))
    await writeFile(cluster.path('F.json'), (await deadSchedulerFile()).replace('tcp://', 'tls://'))
    mount.hang()
    const began = performance.now()
    const certificates = ['--tls-ca-file', join(directory, 'ca.pem'), '--tls-cert', join(directory, 'own.pem')]
    for (const args of [
      ['--scheduler-file', file],
      ['--scheduler-file', 'F.json', ...certificates],
    ]) {
      const ends = (['wait', 'status', 'stop'] as const).map(async (name) => {
        const run = cluster.run([name, ...args, '--timeout', '1s'])
        await run.expectStatus(75)
        expect(run.stderr).toContain('the filesystem does not answer')
      })
      await Promise.all(ends)
    }
    const followed = cluster.run(['status', '--scheduler-file', file, '--follow', '--timeout', '1s'])
    await followed.expectStatus(75)
    expect(performance.now() - began).toBeLessThan(3_000 + slack)
    cluster.expectFile('F.json')
    await cluster.expectNothingLeft()
  },
)

test.skipIf(!canHang)('a command that waits for a filesystem which hangs ends by a signal', async () => {
  await using cluster = await Cluster.make()
  const directory = join(cluster.directory, 'mounted')
  await using mount = await HangingMount.of(join(cluster.directory, 'source'), directory)
  mount.hang()
  const file = join(directory, 'F.json')
  const [told, killed] = [0, 1].map(() => cluster.run(['wait', '--scheduler-file', file, '--timeout', '60s']))
  await cluster.expectProcess('-e')
  told?.signal('SIGTERM')
  await told?.expectStatus(143)
  killed?.signal('SIGKILL')
  await killed?.ended
  await cluster.expectNothingLeft()
})
