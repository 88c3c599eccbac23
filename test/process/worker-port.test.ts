import { createServer } from 'node:net'
import { once } from 'node:events'
import { expect, onTestFinished } from 'vitest'
import { Cluster, python } from '../support/cluster.ts'
import { test, user } from '../support/second-user.ts'

test('ports that an ordinary user may not use, or that are taken, end a run before it has a cluster', async () => {
  await using cluster = await Cluster.make({ user })
  const taken = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  for (const [n, option, ports, status, says] of [
    // Process 0 has no worker, and tells it all the same.
    [3, '--worker-port', '80', 64, 'an ordinary user may not listen on port 80'],
    [2, '--nanny-port', '80:81', 64, 'an ordinary user may not listen on ports 80 to 81'],
    [1, '--worker-port', String(port), 69, `something listens on port ${port} already`],
  ] as const) {
    const nanny = option === '--nanny-port' ? ['--nanny'] : []
    const local = ['local', '-n', String(n), '--python', python, ...nanny, option, ports]
    const run = cluster.run([...local, '--', 'touch', 'started'])
    await run.expectStatus(status)
    expect(run.stderr).toContain(
      `[0 ${n === 3 ? 'scheduler' : 'scheduler+client+worker'}] error: Cannot use ${option} "${ports}": ${says}`,
    )
    expect(run.stderr).not.toContain('cluster at')
  }
  await cluster.expectNothingLeft()
})
