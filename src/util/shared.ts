import { monotonic } from './monotonic.ts'

/**
 * The outcome of `work`, which is done once for all that ask while it is under way, and within `ms`
 * milliseconds from its begin.
 */
export function shared<T>(work: () => Promise<T>, ms: number): () => Promise<T> {
  let last: Promise<T> | undefined
  let until = 0
  return async () => {
    if (last === undefined) {
      const mine = work()
      until = monotonic() + ms
      last = mine
      const forget = (): void => {
        setTimeout(() => {
          if (last === mine) last = undefined
        }, until - monotonic()).unref()
      }
      mine.then(forget, forget)
    }
    return await last
  }
}
