import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { completeOptions, type RunnerOptions } from '../../src/options.ts'
import { Arrivals } from '../../src/run/arrivals.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'hrtime', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function arrivals(workers: number, options: RunnerOptions = {}, each = 1) {
  const said: string[] = []
  const logger = createLogger({ write: (line) => said.push(line) })
  const roles = [['scheduler'], ['client'], ...Array.from({ length: workers }, () => ['worker'] as const)] as const
  const come = new Arrivals({ logger, options: completeOptions(options), roles }, each)
  const begin = (): void => {
    come.begin(
      () =>
        new Map([
          [2, 'node2'],
          [3, 'node3'],
        ]),
    )
  }
  return { said, come, begin }
}

it('says once that all are there, however often one of them is started', () => {
  const { said, come, begin } = arrivals(2)
  begin()
  for (const rank of [2, 2, 3, 3]) come.add(rank, String(rank), 'tcp://10.0.0.1:1')
  expect(said).toEqual([expect.stringMatching(/^all 2 workers are there, after \d+ ms$/)])
})

it('says every ten seconds how many are there and which are late, until they are or the run ends', () => {
  const { said, come, begin } = arrivals(3)
  begin()
  come.add(2, '2', undefined)
  vi.advanceTimersByTime(22_000)
  const text = '1 of 3 workers are there; those of rank 3 on node3, rank 4 on a host that has not come are to come'
  expect(said).toEqual([`${text} (10 s)`, `${text} (20 s)`])
  come.end()
  vi.advanceTimersByTime(60_000)
  for (const rank of [3, 4]) come.add(rank, String(rank), undefined)
  expect(said.length).toBe(2)
})

it('leaves that to the process of a client that waits for them', () => {
  const { said, begin } = arrivals(3, { waitWorkers: 'all' })
  begin()
  vi.advanceTimersByTime(60_000)
  expect(said).toEqual([])
})

it('counts each worker that a command brings', () => {
  const { said, come } = arrivals(1, { workerCommand: 'x', workersPerCommand: 2 }, 2)
  come.add(2, '2', 'tcp://10.0.0.1:1')
  expect(said).toEqual([])
  come.add(2, '2', 'tcp://10.0.0.1:2')
  expect(said.length).toBe(1)
})
