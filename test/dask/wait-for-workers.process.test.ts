import { expect, onTestFinished, test } from 'vitest'
import { DaskError } from '../../src/dask/errors.ts'
import { SchedulerClient } from '../../src/dask/scheduler-client.ts'
import { startFakeScheduler } from './support/peer.ts'

/** A scheduler at which a worker more runs at each question. */
class Scheduler {
  readonly workers: Record<string, number> = {}
  /** When each request came, in milliseconds. */
  readonly requests: number[] = []
  address = ''
  /** Whether it answers. */
  awake = true

  static async start(): Promise<Scheduler> {
    const scheduler = new Scheduler()
    const { place } = await startFakeScheduler(({ op }) => {
      expect(op).toBe('ncores_running')
      scheduler.requests.push(performance.now())
      return scheduler.awake ? scheduler.workers : undefined
    })
    scheduler.address = `tcp://${place}`
    return scheduler
  }

  async connect(): Promise<SchedulerClient> {
    const client = await SchedulerClient.connect(this.address, { timeout: 10_000 })
    onTestFinished(() => {
      client.close()
    })
    return client
  }

  register(): void {
    this.workers[`tcp://10.0.${Object.keys(this.workers).length}.1:40000`] = 8
  }
}

test('asks until all workers are there, with half the interval between two questions at least', async () => {
  const scheduler = await Scheduler.start()
  const progress: number[] = []
  const running = await (
    await scheduler.connect()
  ).waitForWorkers(5, {
    timeout: 30_000,
    intervalMs: 100,
    onProgress: (now) => {
      progress.push(now)
      scheduler.register()
    },
  })
  expect(running).toBe(5)
  expect(progress).toEqual([0, 1, 2, 3, 4, 5])
  expect(scheduler.requests).toHaveLength(6)
  // A timer may be a millisecond early.
  expect(gaps(scheduler.requests)).toBeGreaterThanOrEqual(48)
})

test('says at the deadline how many workers there are, even if the scheduler does not answer any more', async () => {
  const scheduler = await Scheduler.start()
  scheduler.register()
  for (const awake of [true, false]) {
    const waiting = (await scheduler.connect()).waitForWorkers(3, {
      timeout: 5_000,
      onProgress: () => (scheduler.awake = awake),
    })
    const error = await waiting.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DaskError)
    expect(error).toMatchObject({
      reason: 'silent',
      code: 'ERR_TIMED_OUT',
      message: `Cannot go on without 3 workers: 1 of them run at ${scheduler.address} after 5 s`,
    })
  }
})

test('says that the scheduler does not answer where it never has', async () => {
  const scheduler = await Scheduler.start()
  const client = await scheduler.connect()
  scheduler.awake = false
  await expect(client.waitForWorkers(3, { timeout: 300 })).rejects.toThrow(
    /does not answer "ncores_running" within \d+ ms: busy, or frozen/,
  )
})

function gaps(times: readonly number[]): number {
  return Math.min(...times.slice(1).map((time, i) => time - (times[i] ?? 0)))
}
