import { formatDuration } from '../../util/duration.ts'
import { askProgram, lastWords } from '../../process/ask-program.ts'

/** How long it may take where no other host answers, and where one does: the controller is busy then. In milliseconds. */
const timeouts = { cutOff: 3_000, busy: 10_000 }

/** How `scancel` is asked. */
export interface ScancelOptions {
  readonly env: Readonly<NodeJS.ProcessEnv>
  /** Resolves where another host of the step answers. A host that is cut off does not reach the controller either. */
  readonly otherHostAnswers: () => Promise<boolean>
}

/** Runs `scancel` with `args`. Returns why that failed. Does not throw. */
export async function scancel(
  args: readonly string[],
  { env, otherHostAnswers }: ScancelOptions,
): Promise<string | undefined> {
  const cutOff = new AbortController()
  let reached = false
  void otherHostAnswers().then((answers) => (reached = answers))
  const timer = setTimeout(() => {
    if (!reached) cutOff.abort()
  }, timeouts.cutOff)
  const answer = await askProgram(['scancel', ...args], { env, timeout: timeouts.busy, signal: cutOff.signal })
  clearTimeout(timer)
  const { failure, stderr } = answer
  // It belongs to the step itself, and gets what it sends.
  if (failure === undefined || failure.signal === 'SIGTERM') return undefined
  if (cutOff.signal.aborted)
    return `scancel: did not answer within ${formatDuration(timeouts.cutOff)}, nor does another host: this one seems to be cut off`
  return (failure.how === 'ended' ? lastWords(stderr) : undefined) ?? `scancel: ${failure.why}`
}
