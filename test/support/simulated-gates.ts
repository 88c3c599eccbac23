import { defaultPollInterval, longestNotice, watchDirectory } from '../../src/rendezvous/watch.ts'
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
  /** Operations a second after the start: over all of the wait, and in the second that saw most. */
  readonly mean: number
  readonly peak: number
  /** Until the last gate opened. In milliseconds. */
  readonly last: number
  readonly bound: number
}

/** A generator of numbers from 0 to 1 that begins the same each time (Park and Miller). */
function draws(): () => number {
  let state = 20_261_126
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

/** Lets `size` processes wait, 16 to a host: one that looks for each host, with the watch of the program. */
export async function simulateGates(size: number): Promise<Figures> {
  const time = new SimulatedTime()
  const random = draws()
  const interval = defaultPollInterval(size / Math.min(size, perHost))
  const published = startsWithin + 2.5 * interval + 10_000
  const operations: number[] = []
  let atStart = 0
  let last = 0
  const host = async (begins: number): Promise<void> => {
    await time.sleep(begins)
    let isFirst = true
    const count = (): void => {
      if (isFirst) atStart++
      else operations.push(time.now)
      isFirst = false
    }
    await watchDirectory(
      '/run',
      (names) => {
        if (!names.includes('process-0.json')) return Promise.resolve(undefined)
        // It is opened and read; all others of the host are told without the filesystem.
        count()
        return Promise.resolve(true)
      },
      {
        mode: 'poll',
        interval: () => interval,
        timeout: 3_600_000,
        late: () => new Error('late'),
        notice: () => undefined,
        seams: {
          sleep: time.sleep,
          list: () => {
            count()
            return Promise.resolve(time.now >= published ? ['process-0.json'] : [])
          },
          isLocal: () => Promise.resolve(false),
          subscribe: () => Promise.reject(new Error('there are no events')),
          random,
        },
      },
    )
    last = Math.max(last, time.now - published)
  }
  const hosts = Array.from({ length: Math.ceil(size / perHost) }, async () => host(random() * startsWithin))
  await time.run(Promise.all(hosts))
  const seconds = new Map<number, number>()
  for (const at of operations) seconds.set(Math.floor(at / 1000), (seconds.get(Math.floor(at / 1000)) ?? 0) + 1)
  const waited = (published - startsWithin) / 1000
  const waiting = operations.filter((at) => at >= startsWithin && at < published).length
  return {
    size,
    atStart,
    mean: waiting / waited,
    peak: Math.max(...seconds.values()),
    last,
    bound: longestNotice(interval),
  }
}
