import { expect, it } from 'vitest'
import { Cluster } from '../support/cluster.ts'

const advice = 'dask-hpc-runner starts this command itself, see dask-hpc-runner --help'

it.each([
  ['member', '{"identity":{},"options":{}}', 'what came on standard input are no orders'],
  ['member', '[1', 'what came on standard input are no orders'],
  ['member', '', 'no orders came on standard input'],
  ['examine', '{"options":[],"runner":"auto","timeout":1}', 'what came on standard input are no orders'],
  ['examine', '', 'no orders came on standard input'],
  ['log-writer', '{"directory":"/"}', 'what came on standard input are no orders'],
  ['log-writer', '', 'no orders came on standard input'],
])('%s, started by hand with %j, says so', async (command, text, why) => {
  await using cluster = await Cluster.make()
  const script = `${text === '' ? '' : 'echo "$TEXT"'} | "$@"`
  const run = cluster.start(['/bin/sh', '-c', text === '' ? 'exec "$@"' : script, 'sh', ...cluster.command(command)], {
    TEXT: text,
  })
  await run.expectStatus(64)
  expect(run.stderr).toBe(`dask-hpc-runner: error: Cannot do anything: ${why}; ${advice}\n`)
  await cluster.expectNothingLeft()
})

it('mpi-helper, started by hand, says so', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['mpi-helper'])
  await run.expectStatus(64)
  expect(run.stderr).toContain(`Cannot call MPI: nobody gives orders; ${advice}`)
})

it('mpi-helper ignores orders that are none, and ends with whoever gives them', async () => {
  await using cluster = await Cluster.make()
  const give = `const { spawn } = require('node:child_process')
    const helper = spawn(process.argv[1], process.argv.slice(2), { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
    helper.stdio[3].on('error', () => undefined)
    helper.stdio[3].end('{"order":"start","library":3}\\n[1\\n\\u001b[2J\\n')
    helper.on('exit', (status) => { process.exitCode = status })`
  const run = cluster.start([process.execPath, '-e', give, ...cluster.command('mpi-helper')])
  await run.expectStatus(1)
  expect(run.output).toBe('--- standard output\n--- standard error\n')
  await cluster.expectNothingLeft()
})

it('what a program of NODE_OPTIONS prints in the examiner of doctor is no message', async () => {
  await using cluster = await Cluster.make()
  const words = [null, {}, { type: 'finding' }, { type: 'finding', finding: { level: 'x' } }, { type: 'directory' }]
  const module = words.map((word) => `console.log(${JSON.stringify(JSON.stringify(word))})`).join('\n')
  const path = `${cluster.directory}/talk.cjs`
  await import('node:fs/promises').then(async ({ writeFile }) => {
    await writeFile(path, `if (process.argv[2] === 'examine') {${module}}`)
  })
  const run = cluster.run(['doctor', '--json'], { NODE_OPTIONS: `--require=${path}` })
  const { status } = await run.ended
  expect([0, 78]).toContain(status)
  for (const finding of JSON.parse(run.stdout) as { level: string; subject: string; finding: string }[])
    expect(finding).toMatchObject({ subject: expect.any(String) as string, finding: expect.any(String) as string })
  expect(run.stderr).toBe('')
  await cluster.expectNothingLeft()
})
