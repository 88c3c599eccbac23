import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'

const end = join(programs, 'end.py')

test.for([
  ['0', 0, '1'],
  ['3', 3, '3'],
  ['255', 255, '1'],
  ['SIGKILL', 137, '3'],
  ['SIGTERM', 143, '1'],
  ['SIGSEGV', 139, '1'],
] as const)('a client program that ends with %s gives the status %i in a run of %s', async ([how, status, size]) => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', size, '--', 'python3', end, how])
  await run.expectStatus(status)
  // That a signal killed the program is told as an error; a status of its own is not.
  if (status > 128 && status < 255)
    expect(run.stderr).toMatch(new RegExp(`error: The client program on \\S+ was killed by ${how}`))
  else run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

test('a client program that cannot be found gives 127 and is named', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '1', '--', 'no-such-program', '--flag'])
  await run.expectStatus(127)
  expect(run.stderr).toContain('no-such-program')
  await cluster.expectNothingLeft()
})

test('a client program that is not executable gives 126', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '1', '--', '/etc/passwd'])
  await run.expectStatus(126)
  await cluster.expectNothingLeft()
})

test('the standard streams of the client program are our own', async () => {
  await using cluster = await Cluster.make()
  const script = `exec '${process.execPath}' '${join(programs, '../../dist/cli.cjs')}' local -n 3 -- cat`
  const run = cluster.start(['sh', '-c', `printf 'to the\\nprogram' | (${script})`])
  await run.expectStatus(0)
  expect(run.stdout).toBe('to the\nprogram')
  await cluster.expectNothingLeft()
})
