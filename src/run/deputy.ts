import type { Channel } from '../control/channel.ts'
import type { FromCoordinator, ToCoordinator } from '../control/messages.ts'

/** A rank that has come, and where it is. */
interface PresentRank {
  readonly rank: number
  readonly host: string
}

/** The same with rank 0's end of the channel to it. */
interface ReachedRank extends PresentRank {
  readonly channel: Pick<Channel<ToCoordinator, FromCoordinator>, 'send'>
}

/**
 * Which of the ranks that are there tells the cause if rank 0 is lost: the lowest one, of those on other hosts than rank 0's if
 * there are any, because that host may be lost as a whole.
 */
export function appointDeputy<R extends PresentRank>(present: readonly R[], host0: string): R | undefined {
  return present.reduce<R | undefined>(
    (best, each) => (best === undefined || isBetter(each, best, host0) ? each : best),
    undefined,
  )
}

function isBetter(one: PresentRank, other: PresentRank, host0: string): boolean {
  const [isFar, isOtherFar] = [one.host !== host0, other.host !== host0]
  return isFar === isOtherFar ? one.rank < other.rank : isFar
}

/** Sees to it in rank 0 that everybody knows who tells the cause if rank 0 is lost. */
export class Deputy {
  readonly #host0: string
  readonly #present: () => readonly ReachedRank[]
  #rank: number | undefined

  /** @param present gives the ranks that are here, but rank 0 */
  constructor(host0: string, present: () => readonly ReachedRank[]) {
    this.#host0 = host0
    this.#present = present
  }

  /** A rank has come. */
  meet(joined: ReachedRank): void {
    const deputy = this.#present().find(({ rank }) => rank === this.#rank)
    if (deputy === undefined || deputy.rank === joined.rank || isBetter(joined, deputy, this.#host0))
      this.#appoint(joined)
    else joined.channel.send({ type: 'deputy', rank: deputy.rank })
  }

  /** A rank may have gone. */
  replaceIfGone(): void {
    const present = this.#present()
    if (this.#rank === undefined || present.some(({ rank }) => rank === this.#rank)) return
    this.#rank = undefined
    const next = appointDeputy(present, this.#host0)
    if (next !== undefined) this.#appoint(next)
  }

  #appoint(deputy: ReachedRank): void {
    this.#rank = deputy.rank
    // Itself first: if this process ends in between, rather two tell it than none.
    const others = this.#present().filter(({ rank }) => rank !== deputy.rank)
    for (const { channel } of [deputy, ...others]) channel.send({ type: 'deputy', rank: deputy.rank })
  }
}
