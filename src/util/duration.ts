/** Node's timers hold no more, and fire a longer one at once. In milliseconds: 24 days. */
export const longestTimer = 2 ** 31 - 1

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

/** A length of time: a number of milliseconds, or a text such as `500ms`, `30s`, `5m`, `1h`. */
export type Duration = number | `${number}${keyof typeof units}`

/** How a duration is written, for messages. */
export const durationWanted = 'write a length of time as 500ms, 30s, 5m or 1h'

/**
 * The milliseconds of a duration.
 *
 * @throws RangeError where the text is no duration, or the number is negative or not finite.
 */
export function milliseconds(duration: number | string, name = 'duration'): number {
  const ms = parseDuration(duration)
  if (ms !== undefined) return ms
  throw new RangeError(`Cannot use ${name} "${duration}": ${durationWanted}`)
}

/** The same; undefined where it is no duration. */
export function parseDuration(duration: number | string): number | undefined {
  if (typeof duration === 'number') return Number.isFinite(duration) && duration >= 0 ? duration : undefined
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(duration.trim()) ?? []
  return amount === undefined ? undefined : Number(amount) * units[unit as keyof typeof units]
}

/** A duration as a person would say it: `350 ms`, `12 s`, `5 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${Number((ms / 1000).toFixed(1))} s`
  return `${Number((ms / 60_000).toFixed(1))} min`
}
