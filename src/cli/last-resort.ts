import { exitStatuses, messageOf } from '../errors.ts'
import { tellDefect } from '../util/defects.ts'
import { printableLines } from '../util/printable.ts'
import { forceExit } from '../util/io-timeout.ts'
import { settledWithin } from '../util/wait.ts'

/** How long it may take to tell the other processes of the run why this one ends. In milliseconds. */
const tellingMs = 2_000

let isEnding = false

/**
 * What nobody has foreseen ends this process with 70 and a sentence, which the other processes of a run hear
 * too. The reaper then ends what this process has started.
 */
export function endAtDefects(source: NodeJS.EventEmitter = process): void {
  source.on('uncaughtException', onDefect)
  source.on('unhandledRejection', onDefect)
}

function onDefect(error: unknown): void {
  // What follows from a defect is not told, and does not keep the first one from being told.
  if (isEnding) return
  isEnding = true
  const told = `${printableLines(messageOf(error))}; DASK_HPC_RUNNER_DEBUG=1 shows where`
  const stack =
    process.env.DASK_HPC_RUNNER_DEBUG === undefined || !(error instanceof Error) ? '' : `\n${error.stack ?? ''}`
  try {
    process.stderr.write(`dask-hpc-runner: error: error of dask-hpc-runner (70): ${told}${stack}\n`)
  } finally {
    void settledWithin(tellDefect(error), tellingMs).then(() => forceExit(exitStatuses.ERR_BUG))
  }
}
