/** A rank that has come, and where it is. */
interface PresentRank {
  readonly rank: number
  readonly host: string
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
