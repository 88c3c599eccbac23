import { LocalChannel } from '../../../src/control/channel.ts'
import { type JoinOptions, RefusedError } from '../../../src/control/join.ts'
import type { FromCoordinator, ToCoordinator } from '../../../src/control/messages.ts'
import { NotReachedError } from '../../../src/control/open-channel.ts'
import type { ControlServerOptions } from '../../../src/control/server.ts'
import type { ClusterRecord } from '../../../src/record/cluster-record.ts'
import type { Rank0Channel, RunSeams } from '../../../src/run/seams.ts'

/** The control channels of a run whose ranks are all in this process. */
export class MemoryNetwork {
  #server: ControlServerOptions | undefined
  /** Closes the channel of a rank. */
  readonly #closers = new Map<number, () => void>()
  /** Ranks over whose channel nothing comes any more, in neither direction. */
  readonly #cut = new Set<number>()

  /** What a run has in place of sockets. */
  get seams(): Pick<RunSeams, 'listen' | 'join' | 'openHeartbeatChannel' | 'askOwner'> {
    return {
      listen: this.#listen,
      join: this.#join,
      openHeartbeatChannel: () => Promise.resolve(undefined),
      askOwner: () => Promise.resolve(this.#closers.size > this.#cut.size ? 'alive' : 'gone'),
    }
  }

  readonly #listen = async (options: ControlServerOptions): Promise<MemoryServer> => {
    this.#server = options
    const close = (): void => {
      this.#server = undefined
      for (const [rank, closeIt] of this.#closers) if (!this.#cut.has(rank)) closeIt()
    }
    return await Promise.resolve(new MemoryServer(close))
  }

  readonly #join = async (record: ClusterRecord, { rank, host, instance }: JoinOptions): Promise<Rank0Channel> => {
    if (this.#server === undefined)
      throw new NotReachedError('Cannot join rank 0: the connection is refused', 'refused')
    const [mine, theirs] = LocalChannel.pair<FromCoordinator, ToCoordinator>()
    this.#closers.set(rank, mine.destroy.bind(mine))
    this.#server.onMember(this.#cuttable(rank, theirs), { type: 'hello', rank, host, pid: record.pid + rank, instance })
    const answer = await mine.next()
    if (answer.type === 'refused') throw new RefusedError(answer.why, { code: 'ERR_UNAVAILABLE' })
    mine.send({ type: 'here' })
    return this.#cuttable(rank, mine)
  }

  hasJoined(rank: number): boolean {
    return this.#closers.has(rank)
  }

  /** The process of a rank is killed: its channel closes. */
  close(rank: number): void {
    this.cut(rank)
    this.#closers.get(rank)?.()
  }

  /** The host of a rank is frozen, or cut off. */
  cut(rank: number): void {
    this.#cut.add(rank)
  }

  #cuttable<In, Out>(rank: number, channel: LocalChannel<In, Out>): LocalChannel<In, Out> {
    const send = channel.send.bind(channel)
    channel.send = (message) => {
      if (!this.#cut.has(rank)) send(message)
    }
    // Whoever gives up a channel that is cut is not heard at the other end.
    for (const how of ['end', 'destroy'] as const) {
      const close = channel[how].bind(channel)
      channel[how] = () => {
        if (!this.#cut.has(rank)) close()
      }
    }
    return channel
  }
}

class MemoryServer {
  readonly port = 4711
  readonly #close: () => void

  constructor(close: () => void) {
    this.#close = close
  }

  unref(): void {
    // There is nothing.
  }

  async close(): Promise<void> {
    this.#close()
    await Promise.resolve()
  }
}
