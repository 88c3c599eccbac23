/** A clock may be set while it is waited for, and no timer lasts as long as some jobs. In milliseconds. */
const longestLookMs = 60_000

/**
 * Calls `then` when the clock of this host has come to `time`, in milliseconds since 1970: at once if that is past.
 * Does not keep this process alive.
 *
 * @param signal ends the wait
 */
export function atTime(time: number, then: () => void, signal: AbortSignal): void {
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    const left = time - Date.now()
    if (left <= 0) then()
    else timer = setTimeout(look, Math.min(left, longestLookMs)).unref()
  }
  if (signal.aborted) return
  signal.addEventListener(
    'abort',
    () => {
      clearTimeout(timer)
    },
    { once: true },
  )
  look()
}
