import { readFile } from 'node:fs/promises'
import { formatDuration } from '../util/duration.ts'
import { monotonic } from '../util/monotonic.ts'

/** How often a process is looked at within the time that it may stay stopped. */
const looks = 8
const shortestInterval = 20
const longestInterval = 2_500

/** A process as far as it is watched here. */
export interface Watchable {
  readonly pid: number | undefined
}

/**
 * Calls `onFrozen` once, where a process has been found stopped (`SIGSTOP`) at each look for
 * `limit` milliseconds. Looks that we missed ourselves, as in a job that was suspended as a whole,
 * begin the count anew; a process that a debugger holds does not count as stopped.
 *
 * @returns the function that ends the watch.
 */
function watchStopped(child: Watchable, limit: number, onFrozen: () => void): () => void {
  const interval = Math.min(longestInterval, Math.max(shortestInterval, limit / looks))
  let last = monotonic()
  let stoppedSince: number | undefined
  const look = async (): Promise<void> => {
    const now = monotonic()
    const missed = now - last > 2 * interval
    last = now
    const stopped = child.pid !== undefined && (await stateOf(child.pid)) === 'T'
    if (!stopped) stoppedSince = undefined
    else if (stoppedSince === undefined || missed) stoppedSince = now
    else if (now - stoppedSince >= limit) {
      clearInterval(timer)
      onFrozen()
    }
  }
  const timer = setInterval(() => void look(), interval)
  timer.unref()
  return () => {
    clearInterval(timer)
  }
}

/** What stays stopped for `limit` milliseconds while its host runs is frozen, and is ended without grace. */
export function endFrozen(
  child: Watchable & { readonly exited: Promise<unknown>; readonly kill: (why: string) => void },
  limit: number,
): void {
  const watch = watchStopped(child, limit, () => {
    child.kill(`it stayed stopped for ${formatDuration(limit)}`)
  })
  void child.exited.then(watch)
}

/** The state of a process as Linux has it: R, S, D, T, t, Z; undefined where that cannot be read. */
export async function stateOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The command's name stands in parentheses and may contain anything.
  return text.slice(text.lastIndexOf(')') + 2)[0]
}
