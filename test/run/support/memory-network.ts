import { LocalChannel } from '../../../src/control/channel.ts'
import { type JoinOptions, RefusedError } from '../../../src/control/join.ts'
import type { FromCoordinator, ToCoordinator } from '../../../src/control/messages.ts'
import { NotReachedError } from '../../../src/control/open-channel.ts'
import type { ControlServerOptions, MemberChannel } from '../../../src/control/server.ts'
import type { ClusterRecord } from '../../../src/record/cluster-record.ts'
import type { Rank0Channel } from '../../../src/run/seams.ts'

/** The control channels of a run whose ranks are all in this process. */
export class MemoryNetwork {
  #server: ControlServerOptions | undefined
  readonly #ends = new Map<number, Rank0Channel & MemberChannel>()
  /** Ranks over whose channel nothing comes any more, in neither direction. */
  readonly #cut = new Set<number>()

  readonly listen = async (options: ControlServerOptions): Promise<Pick<MemoryServer, 'port' | 'unref' | 'close'>> => {
    this.#server = options
    const close = (): void => {
      this.#server = undefined
      for (const end of this.#ends.values()) end.destroy()
    }
    return await Promise.resolve(new MemoryServer(close))
  }

  readonly join = async (record: ClusterRecord, { rank, host, instance }: JoinOptions): Promise<Rank0Channel> => {
    if (this.#server === undefined)
      throw new NotReachedError('Cannot join rank 0: the connection is refused', 'refused')
    const [mine, theirs] = LocalChannel.pair<FromCoordinator, ToCoordinator>()
    this.#ends.set(rank, mine as unknown as Rank0Channel & MemberChannel)
    this.#server.onMember(this.#cuttable(rank, theirs), { type: 'hello', rank, host, pid: record.pid + rank, instance })
    const answer = await mine.next()
    if (answer.type === 'refused') throw new RefusedError(answer.why, { code: 'ERR_UNAVAILABLE' })
    mine.send({ type: 'here' })
    return this.#cuttable(rank, mine)
  }

  /** The process of a rank is killed: its channel closes. */
  close(rank: number): void {
    this.#ends.get(rank)?.destroy()
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
    const destroy = channel.destroy.bind(channel)
    // Whoever gives up a channel that is cut is not heard at the other end.
    channel.destroy = () => {
      if (!this.#cut.has(rank)) destroy()
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
