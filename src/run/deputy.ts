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
    const present = this.#present()
    const deputy = present.reduce<PresentRank | undefined>((best, each) => this.#better(best, each), undefined)
    if (deputy === undefined) return
    const isNew = deputy.rank !== this.#rank
    this.#rank = deputy.rank
    // The deputy first: if this process ends in between, rather two tell it than none.
    const untold = isNew ? [deputy, ...present.filter((each) => each !== deputy)] : [joined ?? []].flat()
    for (const { channel } of untold) channel.send({ type: 'deputy', rank: deputy.rank })
  }

  /** The lowest rank on another host than rank 0's, because that host may be lost as a whole; else the lowest one. */
  #better(best: PresentRank | undefined, other: PresentRank): PresentRank {
    if (best === undefined) return other
    const [isFar, isOtherFar] = [best.host !== this.#host0, other.host !== this.#host0]
    const isBest = isFar === isOtherFar ? best.rank < other.rank : isFar
    return isBest ? best : other
  }
}
