import { describe, expect, onTestFinished, test } from 'vitest'
import { DaskConnection } from '../../src/dask/connection.ts'
import { DaskError } from '../../src/dask/errors.ts'
import { waitForWorkers } from '../../src/dask/wait-for-workers.ts'
import { sleep } from '../../src/util/wait.ts'
import { startFakeScheduler } from '../dask/support/peer.ts'

/** A scheduler at which workers register, one after the other. */
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

  async connect(): Promise<DaskConnection> {
    const connection = await DaskConnection.open(this.address, { timeout: 10_000 })
    onTestFinished(() => {
      connection.close()
    })
    return connection
  }

  register(): void {
    this.workers[`tcp://10.0.${Object.keys(this.workers).length}.1:40000`] = 8
  }

  /** Registers 100 workers within 1.5 s; gives the moment of the last. */
  async registerAll(): Promise<number> {
    for (let i = 0; i < 99; i += 1) {
      this.register()
      await sleep(Math.random() * 20)
    }
    await sleep(Math.random() * 300)
    this.register()
    return performance.now()
  }
}

// The bounds are in milliseconds: on a machine that is busy with other tests a look may come too late.
describe('waitForWorkers', { retry: 2 }, () => {
  test('knows within 200 ms that 100 workers are there, by one request each 100 ms', async () => {
    const scheduler = await Scheduler.start()
    const progress: number[] = []
    const waiting = waitForWorkers(await scheduler.connect(), 100, {
      timeout: 30_000,
      onProgress: (running) => progress.push(running),
    }).then((running) => [running, performance.now()] as const)
    const ready = await scheduler.registerAll()
    const [running, known] = await waiting
    expect(running).toBe(100)
    expect(known - ready).toBeLessThan(200)
    expect(gaps(scheduler.requests)).toBeGreaterThanOrEqual(99)
    expect(progress.at(-1)).toBe(100)
    expect(progress).toEqual([...new Set(progress)].sort((a, b) => a - b))
    expect(progress.length).toBeLessThanOrEqual(scheduler.requests.length)
  })

  test('knows it within 200 ms where 64 wait, each by one request each 100 ms', async () => {
    const scheduler = await Scheduler.start()
    const connections = await Promise.all(Array.from({ length: 64 }, async () => scheduler.connect()))
    const begin = performance.now()
    const waiting = connections.map(async (connection) => {
      await waitForWorkers(connection, 100, { timeout: 30_000 })
      return performance.now()
    })
    const ready = await scheduler.registerAll()
    const known = await Promise.all(waiting)
    expect(Math.max(...known) - ready).toBeLessThan(200)
    const most = 1 + (Math.max(...known) - begin) / 100
    expect(scheduler.requests.length / 64).toBeLessThanOrEqual(most)
  })
})

test('says at the deadline how many workers there are, even if the scheduler does not answer any more', async () => {
  const scheduler = await Scheduler.start()
  scheduler.register()
  for (const awake of [true, false]) {
    const waiting = waitForWorkers(await scheduler.connect(), 3, {
      timeout: 500,
      onProgress: () => (scheduler.awake = awake),
    })
    const error = await waiting.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DaskError)
    expect(error).toMatchObject({
      reason: 'silent',
      code: 'ERR_TIMED_OUT',
      message: `Cannot go on without 3 workers: 1 of them run at ${scheduler.address} after 500 ms`,
    })
  }
})

test('says that the scheduler does not answer where it never has', async () => {
  const scheduler = await Scheduler.start()
  const connection = await scheduler.connect()
  scheduler.awake = false
  await expect(waitForWorkers(connection, 3, { timeout: 300 })).rejects.toThrow(
    /does not answer "ncores_running" within \d+ ms: busy, or frozen/,
  )
})

function gaps(times: readonly number[]): number {
  return Math.min(...times.slice(1).map((time, i) => time - (times[i] ?? 0)))
}
