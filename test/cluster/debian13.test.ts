import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'
import { debian13Python } from '../support/debian13.ts'

const python = debian13Python() ?? ''
const onDebian13 = test.skipIf(python === '')
/** The command line of a run whose Dask and whose program are those of Debian 13. */
const local = (options: readonly string[], name: string, ...args: string[]): string[] => [
  ...['local', '--python', python, ...options],
  ...['--', python, join(programs, name), ...args],
]

onDebian13('its processes have this Node, for the JavaScript of tasks', () => {
  const version = `import subprocess; subprocess.run([${JSON.stringify(process.execPath)}, '--version'])`
  expect(execFileSync(python, ['-c', version], { encoding: 'utf8' })).toBe(`${process.version}\n`)
})

onDebian13.for([
  ['exclusive', ['2', '3'], ['--nanny']],
  ['shared', ['0', '1', '2'], []],
] as const)('every part of a cluster of layout %s runs the Dask of Debian 13', async ([layout, workers, options]) => {
  await using cluster = await Cluster.make()
  const size = layout === 'shared' ? '3' : '4'
  const run = cluster.run(local(['-n', size, '--layout', layout, ...options], 'versions.py'))
  await run.expectStatus(0)
  const parts = ['client', 'scheduler', ...workers.map((rank) => `worker ${rank}`)]
  expect(run.stdout).toBe(parts.map((part) => `${part} Python 3.13 Dask 2024.12.1\n`).join(''))
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

onDebian13('TERM to every process reaches the program once, which still computes and ends as it likes', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(local(['-n', '3'], 'signals.py', '1', '7'))
  await run.expectOutput('ready')
  cluster.signalAll('SIGTERM')
  await run.expectStatus(7)
  expect(run.stdout).toContain('computed True')
  expect(run.stdout).toContain("counts [('SIGTERM', 1)]")
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

onDebian13('a killed scheduler ends the run with 69 and says so', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(local(['-n', '3', '--grace', '8s'], 'stubborn.py'))
  await run.expectOutput('ready')
  await run.expectOutput('cluster at')
  process.kill(await cluster.expectProcess('dask-hpc-runner scheduler'), 'SIGKILL')
  await run.expectStatus(69)
  expect(run.stderr).toMatch(/The scheduler on \S+ was killed by SIGKILL/)
  await cluster.expectNothingLeft()
})
