import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { CommandSignals } from '../../src/commands/cluster/command-signals.ts'
import { runGated } from '../../src/commands/gate.ts'
import type { ReadyCluster } from '../../src/commands/wait.ts'

const script = join(import.meta.dirname, '../../fixtures/existing/branches.py')

it.each([
  [0, []],
  [3, [`"${script}" names LocalCluster()`, `"${script}" has Client(processes=…)`]],
])('tells what the script of a program may have done wrong after it has ended with %i', async (status, said) => {
  const told: string[] = []
  const signals = { run: async () => await Promise.resolve({ status, told: told.push('it has ended') }) }
  const cluster: ReadyCluster = {
    schedulerAddress: 'tcp://10.0.0.1:8786',
    schedulerFile: '/F.json',
    nWorkers: 1,
    running: 1,
  }
  const ended = await runGated(['python3', script], cluster, {
    env: {},
    signals: signals as unknown as CommandSignals,
    onAdvice: (text) => told.push(text.replace(/, and if .*/, '')),
  })
  expect(ended).toBe(status)
  expect(told).toEqual(['it has ended', ...said])
})
