import type { SchedulerClient } from '../../dask/scheduler-client.ts'
import { monotonic } from '../../util/monotonic.ts'
import type { TlsFiles } from '../../util/tls-files.ts'
import { sleep } from '../../util/wait.ts'
import { findCluster } from './find.ts'

/** A scheduler that has been spoken to. */
export interface KnownScheduler {
  readonly address: string
  readonly id: string
  readonly tls?: TlsFiles | undefined
}

/** How to look for it. */
export interface FindAgainOptions {
  /** Until when, by `monotonic()`. */
  readonly end: number
  readonly signal: AbortSignal
}

/** A scheduler that ends may accept a connection for a moment, and one that does not answer is asked again. In milliseconds. */
const pause = 250
/** How long one look may take. In milliseconds. */
const longestLook = 10_000

/**
 * Looks for a scheduler whose connection has broken: a network may have cut it, and the scheduler is
 * still there.
 *
 * @returns a connection to it; `gone` where another one or none listens in its place; `silent` where
 * it has not answered until the end, so that it is not known what became of it.
 */
export async function findAgain(
  { address, id, tls }: KnownScheduler,
  { end, signal }: FindAgainOptions,
): Promise<SchedulerClient | 'gone' | 'silent'> {
  const left = (): number => end - monotonic()
  while (left() > 0) {
    await sleep(Math.min(pause, left()), signal)
    const timeout = Math.max(1, Math.min(left(), longestLook))
    const found = await findCluster({ address, ...(tls && { tls }) }, { timeout, signal })
    if (found.kind === 'alive') {
      if (found.identity.id === id) return found.client
      found.client.close()
      return 'gone'
    }
    if (found.kind !== 'silent' && found.kind !== 'unreachable') return 'gone'
  }
  return 'silent'
}
