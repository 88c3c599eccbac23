/** What {@link until} waits for. */
export interface UntilOptions<T> {
  /** Completes the sentence "Waited 60 s until". */
  readonly what: string
  /** Says what was seen, for the message. */
  readonly say: (seen: T) => string | Promise<string>
  /** In milliseconds. @default 60_000 */
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
  { what, say, patience = 60_000, interval = 50 }: UntilOptions<T>,
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
