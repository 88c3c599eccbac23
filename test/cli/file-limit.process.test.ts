import { describe, expect, it } from 'vitest'
import { Cluster, program, python } from '../support/cluster.ts'

describe('with a limit of open files', () => {
  it.each([20, 24, 28, 32])('of %i the program ends with a sentence', async (limit) => {
    await using cluster = await Cluster.make()
    const run = [process.execPath, program, 'local', '-n', '2', '--python', python, '--', 'true']
    const started = cluster.start(['/bin/sh', '-c', `ulimit -n ${limit} && exec "$@"`, 'sh', ...run])
    const { status } = await started.ended
    expect([0, 69, 73, 75, 78], started.output).toContain(status)
    expect(started.output).not.toMatch(/^\s+at .*\(/m)
    if (status !== 0) {
      expect(started.stderr).toMatch(/Cannot |Lost /)
    }
    await cluster.expectNothingLeft()
  })
})

it('the program says that there is no shell', async () => {
  await using cluster = await Cluster.make()
  // Only the name is taken away, in a view of the machine that is the program's own.
  const hide = `const { execFileSync, spawnSync } = require('node:child_process')
    execFileSync('mount', ['--bind', '/dev/null', require('node:fs').realpathSync('/bin/sh')])
    process.exit(spawnSync(process.execPath, process.argv.slice(1), { stdio: 'inherit' }).status)`
  const run = [program, 'local', '-n', '2', '--python', python, '--', 'true']
  const started = cluster.start(['unshare', '--mount', process.execPath, '-e', hide, ...run])
  await started.expectStatus(78)
  expect(started.stderr).toContain('Cannot start "/bin/sh", which ends what a run has started')
  expect(started.output).not.toMatch(/^\s+at .*\(/m)
  await cluster.expectNothingLeft()
})
