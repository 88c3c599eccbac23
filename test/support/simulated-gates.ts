import { defaultPollInterval, longestNotice, watchDirectory } from '../../src/rendezvous/file/watch.ts'
import { SimulatedTime } from './simulated-time.ts'

/** Processes of one host. */
export const perHost = 16
/** The hosts' processes start within so much. In milliseconds. */
const startsWithin = 5_000

/** What a simulated job has seen. */
export interface Figures {
  readonly size: number
  /** Operations of the start: a listing by each host. */
  readonly atStart: number
  /** Operations a second after the start and before there is anything to find: all of that time, and its busiest second. */
  readonly mean: number
  readonly waiting: number
  /** Operations in the busiest second of all, in which hosts find what they look for. */
  readonly peak: number
  /** Least time between two looks of one host, after its first rest. In milliseconds. */
  readonly shortestRest: number
  /** Until half of the gates, and the last one, had opened. In milliseconds. */
  readonly median: number
  readonly last: number
  readonly bound: number
}

/** A generator of numbers from 0 to 1 that begins the same each time (Park and Miller). */
function draws(): () => number {
  let state = 20_261_126
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

/**
 * Lets `size` processes wait, 16 to a host, with the code of the program: the relay of each host looks, and tells
 * the others of it without the shared filesystem.
 */
export async function simulateGates(size: number): Promise<Figures> {
  const time = new SimulatedTime()
  const random = draws()
  const hosts = Math.ceil(size / perHost)
  const interval = defaultPollInterval(hosts)
  const publishedAt = startsWithin + 2.5 * interval + 10_000
  const operations: number[] = []
  const gates: number[] = []
  let [atStart, shortestRest] = [0, Infinity]

  const relay = async (begins: number): Promise<void> => {
    await time.sleep(begins)
    const looks: number[] = []
    await watchDirectory(
      '/run',
      (names) => {
        if (names.length === 0) return Promise.resolve(undefined)
        // It is opened and read.
        operations.push(time.now)
        return Promise.resolve('found')
      },
      {
        ...{ mode: 'poll', interval, timeout: 3_600_000 },
        late: () => new Error('late'),
        notice: () => undefined,
        seams: {
          sleep: time.sleep,
          list: () => {
            if (looks.push(time.now) === 1) atStart++
            else operations.push(time.now)
            if (looks.length > 2) shortestRest = Math.min(shortestRest, time.now - (looks.at(-2) ?? 0))
            return Promise.resolve(time.now >= publishedAt ? ['coordinator.json'] : [])
          },
          isLocal: () => Promise.resolve(false),
          subscribe: () => Promise.reject(new Error('there are no events')),
          random,
        },
      },
    )
    gates.push(time.now - publishedAt)
  }

  await time.run(Promise.all(Array.from({ length: hosts }, async () => relay(random() * startsWithin))))
  const waiting = operations.filter((at) => at >= startsWithin && at < publishedAt)
  return {
    size,
    atStart,
    mean: (waiting.length * 1000) / (publishedAt - startsWithin),
    waiting: busiestSecond(waiting),
    peak: busiestSecond(operations),
    shortestRest,
    median: gates[hosts >> 1] ?? 0,
    last: Math.max(...gates),
    bound: longestNotice(interval),
  }
}

function busiestSecond(operations: readonly number[]): number {
  const seconds = new Map<number, number>()
  for (const at of operations) seconds.set(Math.floor(at / 1000), (seconds.get(Math.floor(at / 1000)) ?? 0) + 1)
  return Math.max(...seconds.values())
}
