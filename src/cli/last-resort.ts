import { exitStatuses, messageOf } from '../errors.ts'
import { printableLines } from '../util/printable.ts'
import { exitSurely } from '../util/unanswered.ts'

/**
 * What nobody has foreseen ends this process with 70 and a sentence. The reaper then ends what it has
 * started, and the other processes of a run notice that it is gone.
 */
export function endAtDefects(source: NodeJS.EventEmitter = process): void {
  source.on('uncaughtException', onDefect)
  source.on('unhandledRejection', onDefect)
}

function onDefect(error: unknown): void {
  const told = `${printableLines(messageOf(error))}; DASK_HPC_RUNNER_DEBUG=1 shows where`
  const stack =
    process.env.DASK_HPC_RUNNER_DEBUG === undefined || !(error instanceof Error) ? '' : `\n${error.stack ?? ''}`
  try {
    process.stderr.write(`dask-hpc-runner: error: error of dask-hpc-runner (70): ${told}${stack}\n`)
  } finally {
    exitSurely(exitStatuses.ERR_BUG)
  }
}
