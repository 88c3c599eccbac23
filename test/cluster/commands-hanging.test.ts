import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster } from '../support/cluster.ts'
import { deadSchedulerFile } from '../support/dask.ts'
import { canHang, HangingMount } from '../support/hanging-mount.ts'
import { until } from '../support/until.ts'

/** How long after its deadline a command may take to start and end on a busy machine. In milliseconds. */
const slack = 40_000

/** A call that hangs holds the exit of its process, which is killed then. */
const killed = { status: null, signal: 'SIGKILL' }

test.skipIf(!canHang)(
  'a filesystem that hangs ends wait, status and stop at their deadline, and they say so',
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
    const commands = [['wait'], ['status'], ['stop'], ['status', '--follow']]
    const ends = commands.flatMap((command) =>
      [
        ['--scheduler-file', file],
        ['--scheduler-file', 'F.json', ...certificates],
      ].map(async (args) => {
        const run = cluster.run([...command, ...args, '--timeout', '1s'])
        expect(await run.ended, run.output).toEqual(killed)
        expect(run.stderr).toContain('the filesystem does not answer')
      }),
    )
    await Promise.all(ends)
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
  const wait = cluster.run(['wait', '--scheduler-file', file, '--timeout', '4m'])
  await until(
    async () => await callsOf(wait.pid),
    (calls) => calls.some((call) => call.includes('request_wait_answer')),
    { what: 'a call hangs', say: (calls) => calls.join('\n') },
  )
  wait.signal('SIGTERM')
  expect(await wait.ended, wait.output).toEqual(killed)
  await cluster.expectNothingLeft()
})

/** In which function of the kernel each thread of a process waits. */
async function callsOf(pid: number): Promise<string[]> {
  const threads = await readdir(`/proc/${pid}/task`)
  return await Promise.all(threads.map(async (thread) => readFile(`/proc/${pid}/task/${thread}/wchan`, 'latin1')))
}
