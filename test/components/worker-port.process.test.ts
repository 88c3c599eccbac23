import { createServer } from 'node:net'
import { once } from 'node:events'
import { expect, onTestFinished } from 'vitest'
import { Cluster, python } from '../support/cluster.ts'
import { fourTasks } from '../support/step.ts'
import { test, user } from '../support/second-user.ts'

test('ports that an ordinary user may not use, or that are taken, end a run before it has a cluster', async () => {
  await using cluster = await Cluster.make({ user })
  const taken = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  for (const [n, option, ports, status, says] of [
    // Rank 0 has no worker, and tells it all the same.
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

test('places that this host does not have end a run before it has a cluster, and doctor tells them', async () => {
  await using cluster = await Cluster.make()
  const nowhere = 'is no name that stands for an address here'
  const elsewhere = '10.255.255.1 is no address of this host, which has 127.0.0.1 (lo)'
  await Promise.all(
    [
      // A name may begin with a digit: this is none.
      ['--dashboard-address', '8787x', `8787x ${nowhere}, which has 127.0.0.1 (lo)`],
      ['--dashboard-address', ':0,no-such:8787', `no-such ${nowhere}`],
      ['--dashboard-address', '10.255.255.1:8787', elsewhere],
      ['--listen-address', 'tcp://no-such:9000', `no-such ${nowhere}`],
      ['--listen-address', 'tcp://10.255.255.1:9000', elsewhere],
      ['--contact-address', 'tcp://no-such:9000', `no-such ${nowhere}`],
    ].map(async ([option = '', value = '', why = '']) => {
      const listen = option === '--contact-address' ? ['--listen-address', 'tcp://127.0.0.1:9000'] : []
      const options = ['--python', python, option, value, ...listen]
      const run = cluster.run(['local', '-n', '1', ...options, '--', 'touch', 'started'])
      await run.expectStatus(64)
      expect(run.stderr).toContain(`error: Cannot use ${option} "${value}": ${why}`)
      expect(run.output).not.toMatch(/Traceback|cluster at/)
    }),
  )
  const places = ['--dashboard-address', '8787x', '--python', python]
  const doctor = cluster.run(['doctor', '--timeout', '1s', ...places], fourTasks()[0])
  await doctor.expectStatus(78)
  expect(doctor.stdout).toMatch(/problem +network +Cannot use --dashboard-address "8787x": 8787x is no name/)
  await cluster.expectNothingLeft()
})
