import { messageOf } from '../../errors.ts'
import { formatDuration } from '../../util/duration.ts'
import { deadline, settledWithin } from '../../util/wait.ts'
import { type Finding, foundMessage } from './finding.ts'

/** How long a look that is cut off may take to remove what it has made. In milliseconds. */
const tidyTime = 3_000

/** How long the filesystem of a program or script may take. In milliseconds. */
export const lookMs = 5_000

/** How long one look at something may take. In milliseconds. */
export const probeTimeout = 10_000

/** A Python that answers at all does so within this time: `run` would wait for `--rendezvous-timeout`. In milliseconds. */
export function pythonTimeout(rendezvousTimeout: number): number {
  return Math.min(rendezvousTimeout, 60_000)
}

/** What came of looking at something: what was seen, or why nothing was. */
export type Seen<T> = { readonly value: T } | { readonly why: string }

/** Runs probes, none of which can fail or last for ever. */
export class Probes {
  readonly #signal: AbortSignal
  /** Looks that make something, and remove it at their end. */
  readonly #attempts: Promise<unknown>[] = []

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** {@link look} for a look that makes something and removes it at its end, which {@link tidied} waits for. */
  async attempt<T>(what: string, look: () => Promise<T>): Promise<Seen<T>> {
    const attempt = look()
    this.#attempts.push(attempt.catch(() => undefined))
    return await this.look(what, async () => await attempt)
  }

  /** Waits until attempts have removed what they have made, also if they were cut off; not for a filesystem that hangs. */
  async tidied(): Promise<void> {
    await settledWithin(Promise.all(this.#attempts), tidyTime)
  }

  /**
   * What `look` gives, or why it gives nothing. `what` completes "Cannot …".
   *
   * @throws only the reason of the signal.
   */
  async look<T>(what: string, look: () => Promise<T>, timeout = probeTimeout): Promise<Seen<T>> {
    const why = `no answer within ${formatDuration(timeout)}; see whether a filesystem or a program hangs there`
    try {
      return { value: await deadline(look(), timeout, () => new Error(`Cannot ${what}: ${why}`), this.#signal) }
    } catch (error) {
      this.#signal.throwIfAborted()
      return { why: messageOf(error) }
    }
  }
}

/** The findings about what was seen; a problem where nothing could be, and none where it was not looked at. */
export function checkSeen<T>(
  subject: string,
  seen: Seen<T> | undefined,
  check: (value: T) => readonly Finding[],
): readonly Finding[] {
  if (seen === undefined) return []
  return 'value' in seen ? check(seen.value) : [foundMessage('problem', subject, seen.why)]
}

/** What was seen, if anything. */
export function valueOf<T>(seen: Seen<T> | undefined): T | undefined {
  return seen !== undefined && 'value' in seen ? seen.value : undefined
}
