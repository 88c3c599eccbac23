import { hearNews, listensBeside } from '../../src/rendezvous/hear-news.ts'
import type { TakeNews } from '../../src/rendezvous/news-wire.ts'
import { NewsTeller } from '../../src/rendezvous/tell-news.ts'
import { defaultPollInterval, longestNotice, watchDirectory } from '../../src/rendezvous/watch.ts'
import { departureInterval } from '../../src/runner/wait-for-others.ts'
import { SimulatedTime } from './simulated-time.ts'

/** Processes of one host. */
export const perHost = 16
/** The hosts' processes start within so much. In milliseconds. */
const startsWithin = 5_000
/** TCP sends the first packet of a connection again after so long, and a connection is given up after that. In milliseconds. */
const [sentAgainAfter, givenUpAfter] = [1_000, 3_000]
/** Least and most that a connection and its answer take. In milliseconds. */
const [shortest, longest] = [0.2, 2]

/** What the network between the hosts is like. */
export interface Network {
  /** Share of the connections whose first packet is lost. */
  readonly lost: number
  /** Share of the hosts that cannot be connected to. */
  readonly unreachable: number
}

/** What a simulated job has seen. */
export interface Figures {
  readonly size: number
  /** Operations of the start: a listing by each host, and what it leaves where it listens. */
  readonly atStart: number
  /** Operations a second after the start: over all of the wait, and in the second that saw most. */
  readonly mean: number
  readonly peak: number
  /** Until half of the gates, and the last one, had opened. In milliseconds. */
  readonly median: number
  readonly last: number
  /** Hosts that were told. */
  readonly told: number
  readonly bound: number
}

/** A generator of numbers from 0 to 1 that begins the same each time (Park and Miller). */
function draws(): () => number {
  let state = 20_261_126
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

const published = 'process-0.json'

/**
 * Lets `size` processes wait, 16 to a host: one that looks for each host, and process 0, which tells
 * them, with the code of the program.
 *
 * @param network undefined: nobody is told
 */
export async function simulateGates(size: number, network?: Network): Promise<Figures> {
  const time = new SimulatedTime()
  const random = draws()
  const interval = defaultPollInterval(size / Math.min(size, perHost))
  const publishedAt = startsWithin + 2.5 * interval + 10_000
  const operations: number[] = []
  const gates: number[] = []
  /** What is in the run's directory, and who listens at each port. */
  const names: string[] = []
  const listeners = new Map<number, TakeNews>()
  let [atStart, ports, told] = [0, 0, 0]

  const host = async (begins: number): Promise<void> => {
    await time.sleep(begins)
    let isFirst = true
    const count = (): void => {
      if (isFirst) atStart++
      else operations.push(time.now)
      isFirst = false
    }
    const how = await watchDirectory<'looked' | 'told'>(
      '/run',
      (listed) => {
        if (listed[0] !== published) return Promise.resolve(undefined)
        // It is opened and read; all others of the host are told without the filesystem.
        count()
        return Promise.resolve('looked')
      },
      {
        mode: 'poll',
        interval: () => interval,
        timeout: 3_600_000,
        late: () => new Error('late'),
        notice: () => undefined,
        hear:
          network !== undefined && listensBeside(interval)
            ? async (signal) =>
                await hearNews({
                  rank: ports,
                  leave: (name) => {
                    atStart++
                    names.push(name)
                    return Promise.resolve()
                  },
                  isOneHost: false,
                  read: () => 'told',
                  signal,
                  seams: {
                    receive: (take) => {
                      const port = ports++
                      if (random() >= network.unreachable) listeners.set(port, take)
                      return Promise.resolve(port)
                    },
                    addresses: () => ['10.0.0.1'],
                  },
                })
            : undefined,
        seams: {
          sleep: time.sleep,
          list: () => {
            count()
            return Promise.resolve(names)
          },
          isLocal: () => Promise.resolve(false),
          subscribe: () => {
            throw new Error('there are no events')
          },
          random,
        },
      },
    )
    gates.push(time.now - publishedAt)
    if (how === 'told') told++
  }

  const hosts = Math.ceil(size / perHost)
  const processZero = async (): Promise<void> => {
    await time.sleep(publishedAt)
    names.unshift(published)
    using teller = new NewsTeller(size / hosts, {
      send: async ({ port }, sealed) => {
        const take = listeners.get(port)
        const lost = random() < (network?.lost ?? 0) ? sentAgainAfter : 0
        await time.sleep(take === undefined ? givenUpAfter : lost + shortest + random() * (longest - shortest))
        return take?.(sealed) === true
      },
      sleep: time.sleep,
      now: () => time.now,
    })
    teller.say('where process 0 is')
    // It looks for processes that will not come, as long as one is missing.
    while (gates.length < hosts) {
      await time.sleep(departureInterval)
      operations.push(time.now)
      teller.tell(names)
    }
  }

  await time.run(
    Promise.all([processZero(), ...Array.from({ length: hosts }, async () => host(random() * startsWithin))]),
  )
  const seconds = new Map<number, number>()
  for (const at of operations) seconds.set(Math.floor(at / 1000), (seconds.get(Math.floor(at / 1000)) ?? 0) + 1)
  const waited = (publishedAt - startsWithin) / 1000
  const waiting = operations.filter((at) => at >= startsWithin && at < publishedAt).length
  return {
    size,
    atStart,
    mean: waiting / waited,
    peak: Math.max(...seconds.values()),
    median: gates[hosts >> 1] ?? 0,
    last: Math.max(...gates),
    told,
    bound: longestNotice(interval),
  }
}
