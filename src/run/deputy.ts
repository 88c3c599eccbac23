import type { Channel } from '../control/channel.ts'
import type { FromCoordinator, ToCoordinator } from '../control/messages.ts'

/** A rank that has come, where it is, and rank 0's end of the channel to it. */
interface PresentRank {
  readonly rank: number
  readonly host: string
  readonly channel: Pick<Channel<ToCoordinator, FromCoordinator>, 'send'>
}

/** Sees to it in rank 0 that everybody knows who tells the cause if rank 0 is lost. */
export class Deputy {
  readonly #host0: string
  readonly #present: () => readonly PresentRank[]
  #rank: number | undefined

  /** @param present gives the ranks that are here, but rank 0 */
  constructor(host0: string, present: () => readonly PresentRank[]) {
    this.#host0 = host0
    this.#present = present
  }

  /** A rank has come, or may have gone. */
  appoint(joined?: PresentRank): void {
    const [deputy, ...others] = this.#present().toSorted((a, b) => this.#isNear(a) - this.#isNear(b) || a.rank - b.rank)
    if (deputy === undefined) return
    // The deputy first: if this process ends in between, rather two tell it than none.
    const untold = deputy.rank === this.#rank ? (joined === undefined ? [] : [joined]) : [deputy, ...others]
    this.#rank = deputy.rank
    for (const { channel } of untold) channel.send({ type: 'deputy', rank: deputy.rank })
  }

  /** The lowest rank on another host than rank 0's comes first, because that host may be lost as a whole. */
  #isNear({ host }: PresentRank): number {
    return host === this.#host0 ? 1 : 0
  }
}
