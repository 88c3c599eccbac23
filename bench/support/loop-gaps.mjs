// For NODE_OPTIONS=--import: notes in the file LOOP_GAPS.PID, each second, how long the event loop was away
// at most, and for how long of that it was not waiting for a CPU which others had. In milliseconds.
import { appendFileSync, readFileSync } from 'node:fs'

const file = `${process.env.LOOP_GAPS ?? ''}.${process.pid}`
/** Between two looks, in milliseconds. */
const interval = 5
/** How long this thread has waited for a CPU so far: the second number, in nanoseconds. */
const waitedForCpu = () => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) / 1e6
let last = performance.now()
let waited = waitedForCpu()
let longest = 0
let longestOwn = 0
let said = Date.now()
setInterval(() => {
  const now = performance.now()
  const waitedNow = waitedForCpu()
  const gap = now - last - interval
  longest = Math.max(longest, gap)
  longestOwn = Math.max(longestOwn, gap - (waitedNow - waited))
  last = now
  waited = waitedNow
  if (Date.now() - said < 1_000) return
  said = Date.now()
  appendFileSync(file, `${said} ${longest} ${longestOwn}\n`)
  longest = 0
  longestOwn = 0
}, interval).unref()
