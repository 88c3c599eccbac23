import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs, python, type Started } from '../support/cluster.ts'

const counting = join(programs, 'signals.py')
const stubborn = join(programs, 'stubborn.py')

/** To the launcher alone, as `proctrack/cgroup` does, or to every process, as `proctrack/linuxproc` does. */
const ways = ['the launcher alone', 'every process at once'] as const

function send(cluster: Cluster, run: Started, signal: NodeJS.Signals, way: (typeof ways)[number]): void {
  if (way === 'the launcher alone') run.signal(signal)
  else cluster.signalAll(signal)
}

for (const way of ways) {
  test(`SIGTERM to ${way} reaches the program once, which still computes for 5 s and ends as it likes`, async () => {
    await using cluster = await Cluster.make()
    const run = cluster.run(['local', '-n', '3', '--', 'python3', counting, '5', '7'])
    await run.expectOutput('ready')
    send(cluster, run, 'SIGTERM', way)
    await run.expectStatus(7)
    expect(run.stdout).toContain('computed True')
    expect(run.stdout).toContain("counts [('SIGTERM', 1)]")
    run.expectNoAlarm()
    await cluster.expectNothingLeft()
  })

  test(`SIGTERM to ${way} ends a program that ignores it, with its descendants, within the grace`, async () => {
    await using cluster = await Cluster.make()
    const run = cluster.run(['local', '-n', '3', '--grace', '4s', '--', 'python3', stubborn])
    await run.expectOutput('ready')
    send(cluster, run, 'SIGTERM', way)
    await run.expectStatus(137)
    expect(run.stderr).toContain('it is killed')
    await cluster.expectNothingLeft()
  })

  test(`USR1 and USR2 to ${way} reach the program only`, async () => {
    await using cluster = await Cluster.make()
    const run = cluster.run(['local', '-n', '3', '--', 'python3', counting, '0', '0'])
    await run.expectOutput('ready')
    send(cluster, run, 'SIGUSR1', way)
    await run.expectOutput('came SIGUSR1')
    send(cluster, run, 'SIGUSR2', way)
    await run.expectOutput('came SIGUSR2')
    send(cluster, run, 'SIGTERM', way)
    await run.expectStatus(0)
    expect(run.stdout).toContain("counts [('SIGTERM', 1), ('SIGUSR1', 1), ('SIGUSR2', 1)]")
    run.expectNoAlarm()
    await cluster.expectNothingLeft()
  })
}

test('Ctrl-Z stops the program too, so that what is typed then is for the shell, and it goes on with fg', async () => {
  await using cluster = await Cluster.make()
  const ask = [python, '-c', 'print("got", input("na" "me> "))']
  const command = cluster.command('local', '-n', '1', '--python', python, '--', ...ask)
  const run = cluster.start([python, join(programs, 'at_shell.py'), ...command])
  await run.expectStatus(0)
  expect(run.stdout).toMatch(/^the shell's\r$/m)
  expect(run.stdout).toMatch(/^got Bob\r$/m)
  await cluster.expectNothingLeft()
})

test('TSTP without a terminal, as Slurm sends it before it suspends a job, does not stop the program', async () => {
  await using cluster = await Cluster.make()
  const inSession = 'import os, sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])'
  const script =
    'trap "echo woken" CONT; trap told=yes USR1; echo ready; until [ -n "$told" ]; do sleep 0.1; done; echo told'
  const command = cluster.command('local', '-n', '1', '--python', python, '--', 'sh', '-c', script)
  const run = cluster.start([python, '-c', inSession, ...command])
  await run.expectOutput('ready')
  run.signal('SIGTSTP')
  // It is passed on when the other has been seen to.
  run.signal('SIGUSR1')
  await run.expectStatus(0)
  expect(run.stdout).toBe('ready\ntold\n')
  await cluster.expectNothingLeft()
})

test('a second signal ends everything at once', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '3', '--grace', '10m', '--', 'python3', stubborn])
  await run.expectOutput('ready')
  run.signal('SIGTERM')
  await run.expectOutput('SIGTERM')
  // Within a second it would be the same signal.
  await new Promise((next) => setTimeout(next, 1_200))
  run.signal('SIGINT')
  const { status } = await run.ended
  expect([130, 137, 143], run.output).toContain(status)
  await cluster.expectNothingLeft()
})

test('SIGTERM before the cluster is there ends the run', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '4', '--python', join(programs, 'slow-python'), '--', 'true'])
  await cluster.expectProcess('sleep 600')
  run.signal('SIGTERM')
  await run.expectStatus(143)
  await cluster.expectNothingLeft()
})
