import { exitStatuses, exitStatusOf, messageOf } from '../errors.ts'
import { endByDefect, neverDry } from '../util/defects.ts'
import { forceExit } from '../util/io-timeout.ts'
import { printableLines } from '../util/printable.ts'

/** Ends this process with the exit status of what `work` does, which says what went wrong. */
export async function endAfter(work: () => Promise<unknown>): Promise<void> {
  endAtDefects()
  // Until a command has said otherwise.
  process.exitCode = exitStatuses.ERR_BUG
  try {
    await neverDry(work)
    process.exitCode = 0
  } catch (error) {
    process.stderr.write(`dask-hpc-runner: error: ${printableLines(messageOf(error))}\n`)
    forceExit(exitStatusOf(error))
  }
}

/** What nobody has foreseen ends this process as {@link endByDefect} says. */
function endAtDefects(source: NodeJS.EventEmitter = process): void {
  source.on('uncaughtException', endByDefect)
  source.on('unhandledRejection', endByDefect)
}
