import { monotonic } from '../util/monotonic.ts'
import { sleep } from '../util/wait.ts'
import type { SignalSource } from './signals.ts'
import { stateOf } from './stopped.ts'
import type { Supervised } from './supervised.ts'

/** How long the stop of the child may take: until then it may still read. In milliseconds. */
const childStopTime = 500

/** How long our own stop may take to come, once it is asked for. In milliseconds; it does not pass while we are stopped. */
const stopTime = 50

/** Stops this process as it would stop without a handler: not at all where no shell would have it go on. */
const stopSelf = (): void => void process.kill(process.pid, 'SIGTSTP')

/**
 * Passes on to a child, until it has ended, what a terminal tells our process group alone: that it stops (Ctrl-Z) and goes on, and
 * that the window has another size. A child that went on while we are stopped would read what the user types for the shell.
 */
export function followTerminal(
  child: Pick<Supervised, 'pid' | 'signal' | 'exited'>,
  source: SignalSource = process,
  stop = stopSelf,
): void {
  let hasEnded = false
  const onResize = (): void => {
    child.signal('SIGWINCH', 'group')
  }
  const onStop = (): void => void stopBoth()
  const stopBoth = async (): Promise<void> => {
    source.off('SIGTSTP', onStop)
    // TSTP would not stop it: no shell is in its session.
    child.signal('SIGSTOP', 'group')
    await untilStopped(child.pid)
    stop()
    await sleep(stopTime)
    child.signal('SIGCONT', 'group')
    if (!hasEnded) source.on('SIGTSTP', onStop)
  }
  source.on('SIGWINCH', onResize)
  source.on('SIGTSTP', onStop)
  void child.exited.then(() => {
    hasEnded = true
    source.off('SIGWINCH', onResize)
    source.off('SIGTSTP', onStop)
  })
}

async function untilStopped(pid: number | undefined): Promise<void> {
  const end = monotonic() + childStopTime
  while (pid !== undefined && monotonic() < end) {
    const state = await stateOf(pid)
    if (state === undefined || 'TZ'.includes(state)) return
    await sleep(2)
  }
}
