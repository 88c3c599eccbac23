import { expect, test } from 'vitest'
import type { WatchMode } from '../../../src/options.ts'
import {
  defaultPollInterval,
  type Subscriber,
  watchDirectory,
  type WatchOptions,
  type WatchSeams,
} from '../../../src/rendezvous/file/watch.ts'
import { sleep } from '../../../src/util/wait.ts'
import { FakeTime } from './support/fake-time.ts'

/** A directory in fake time where "record" appears after `appears` milliseconds. */
class World {
  readonly time = new FakeTime()
  readonly notices: string[] = []
  readonly listings: number[] = []
  subscriber: Subscriber | undefined
  closed = 0
  readonly seams: WatchSeams

  constructor(appears: number, changes: Partial<WatchSeams> = {}) {
    this.seams = {
      sleep: this.time.sleep,
      list: () => {
        this.listings.push(this.time.now)
        return Promise.resolve(this.time.now >= appears ? ['record'] : ['other'])
      },
      isLocal: () => Promise.resolve(true),
      subscribe: (_, subscriber) => {
        this.subscriber = subscriber
        return Promise.resolve(() => {
          this.closed++
        })
      },
      random: () => 0.5,
      ...changes,
    }
  }

  async watch(mode: WatchMode, changes: Partial<WatchOptions> = {}): Promise<number> {
    const inspect = (names: readonly string[]): Promise<number | undefined> =>
      Promise.resolve(names.includes('record') ? this.time.now : undefined)
    const found = watchDirectory('/run', inspect, {
      mode,
      interval: 100,
      timeout: 60_000,
      late: ({ names }) => new Error(`late: ${names?.join() ?? 'never listed'}`),
      notice: (message) => void this.notices.push(message),
      seams: this.seams,
      ...changes,
    })
    return await this.time.run(found)
  }
}

test('polling sees a new name at the next listing', async () => {
  // The first rest is 60 ms.
  expect(await new World(910).watch('poll')).toBe(940)
})

test('what is there already is seen at once, without events', async () => {
  const world = new World(0)
  expect(await world.watch('events')).toBe(0)
  expect(world.subscriber).toBeUndefined()
})

test.each([
  [0, 100],
  [0.5, 170],
  [1, 240],
])('with the draw %d two rests of an interval of 100 ms take %d ms', async (draw, ms) => {
  const world = new World(ms - 1, { random: () => draw })
  expect(await world.watch('poll')).toBeCloseTo(ms)
})

test('an event makes the next listing come at once', async () => {
  const world = new World(300)
  const watching = world.watch('events')
  await world.time.sleep(300, new AbortController().signal).then(() => world.subscriber?.onHint())
  expect(await watching).toBe(300)
  expect(world.closed).toBe(1)
})

test('without any event a slow poll sees the name', async () => {
  expect(await new World(300).watch('events')).toBe(600)
})

test('auto uses events on a local filesystem only', async () => {
  const local = new World(400)
  await local.watch('auto')
  expect(local.subscriber).toBeDefined()
  const network = new World(300, { isLocal: () => Promise.resolve(false) })
  expect(await network.watch('auto')).toBe(390)
  expect(network.subscriber).toBeUndefined()
})

test('auto sees what comes soon without asking for events', async () => {
  const local = new World(60)
  expect(await local.watch('auto')).toBe(70)
  expect([local.listings, local.subscriber]).toEqual([[0, 10, 30, 70], undefined])
})

test.each(['EMFILE', 'ENOSPC'])('where the kernel has no watch to give (%s) it polls, with a notice', async (errno) => {
  const world = new World(350, {
    subscribe: (_, { onError }) => {
      onError(Object.assign(new Error(`${errno}: inotify_add_watch`), { code: errno }))
      onError(new Error('again'))
      return Promise.resolve(() => undefined)
    },
  })
  expect(await world.watch('events')).toBe(390)
  expect(world.notices).toEqual([`Polling "/run", since the system sends no events: ${errno}: inotify_add_watch`])
})

test('where events cannot even be asked for it polls, with a notice', async () => {
  const failing = (): never => {
    throw new Error('ENOSPC: System limit for number of file watchers reached')
  }
  const world = new World(350, { subscribe: failing })
  expect(await world.watch('events')).toBe(390)
  expect(world.notices).toHaveLength(1)
})

test('a deadline ends it with what was there instead', async () => {
  const world = new World(Infinity)
  await expect(world.watch('poll', { timeout: 5000 })).rejects.toThrow('late: other')
  expect(world.time.now).toBe(5000)
})

test('a deadline ends even a listing that never returns', async () => {
  const world = new World(0, { list: async () => new Promise(() => undefined) })
  await expect(world.watch('poll', { timeout: 5000 })).rejects.toThrow('late: never listed')
})

test('a signal ends it with its reason', async () => {
  const world = new World(Infinity)
  const stop = new AbortController()
  const watching = world.watch('events', { signal: stop.signal })
  await world.time.sleep(300, new AbortController().signal)
  stop.abort(new Error('enough'))
  await expect(watching).rejects.toThrow('enough')
  expect(world.time.now).toBe(300)
})

/** As a network filesystem says it. */
const stale = Object.assign(new Error('stale'), { code: 'ESTALE', errno: -116 })

test('a listing that fails for a passing reason is repeated', async () => {
  let failures = 3
  const world = new World(0, { list: () => (failures-- > 0 ? Promise.reject(stale) : Promise.resolve(['record'])) })
  expect(await world.watch('poll')).toBeGreaterThan(0)
})

test('and so is what fails for a passing reason of what is listed, such as a file that was replaced while it was read', async () => {
  const world = new World(0)
  let failures = 3
  const inspect = (): Promise<string> => (failures-- > 0 ? Promise.reject(stale) : Promise.resolve('read'))
  const options = { mode: 'poll', interval: 100, timeout: 60_000, late: () => new Error('late') } as const
  const watching = watchDirectory('/run', inspect, { ...options, notice: () => undefined, seams: world.seams })
  expect(await world.time.run(watching)).toBe('read')
})

test('a filesystem that does not say of what kind it is ends it in its time', async () => {
  const world = new World(Infinity, { isLocal: async () => new Promise(() => undefined), sleep })
  await expect(world.watch('auto', { filesystemTimeout: 20, timeout: 5_000 })).rejects.toThrow(
    'has not answered for 20 ms',
  )
})

test('a listing that no repetition mends ends it', async () => {
  const world = new World(0, { list: () => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOENT' })) })
  await expect(world.watch('poll')).rejects.toThrow('gone')
})

test.each([
  [1, 200, 100],
  [7, 200, 100],
  [63, 200, 900],
  [6300, 2000, 5_000],
  [6300, 20_000, 900],
])('%d that look keep to %d operations a second by an interval of %d ms, 5 s at most', (lookers, budget, ms) => {
  expect(defaultPollInterval(lookers, budget)).toBeCloseTo(ms)
})
