/**
 * How long a test waits for what has to happen, in milliseconds: many times what a quiet machine needs, because a busy one
 * has been seen to be that slow. How soon something has to happen is not said with it.
 */
export const patient = 240_000

/** What {@link until} waits for. */
export interface UntilOptions<T> {
  /** Completes the sentence "Waited 240 s until". */
  readonly what: string
  /** Says what was seen, for the message. */
  readonly say: (seen: T) => string | Promise<string>
  /** In milliseconds. @default {@link patient} */
  readonly patience?: number
  /** Time between two looks, in milliseconds. @default 50 */
  readonly interval?: number
}

/**
 * Looks until `done` holds for what is seen, and gives that.
 *
 * @throws Error with the last sight where it does not in time.
 */
export async function until<T>(
  look: () => T | Promise<T>,
  done: (seen: T) => boolean,
  { what, say, patience = patient, interval = 50 }: UntilOptions<T>,
): Promise<T> {
  const end = performance.now() + patience
  for (;;) {
    const seen = await look()
    if (done(seen)) return seen
    if (performance.now() > end)
      throw new Error(`Waited ${patience / 1000} s until ${what}; last seen:\n${await say(seen)}`)
    await new Promise((next) => setTimeout(next, interval))
  }
}
