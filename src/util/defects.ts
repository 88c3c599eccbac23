import { exitStatuses, messageOf } from '../errors.ts'
import { forceExit } from './io-timeout.ts'
import { printableLines } from './printable.ts'
import { settledWithin } from './wait.ts'

/** Tells somebody of an error. */
export type Tell = (error: unknown) => Promise<void>

/** How long it may take to tell the other processes of the run why this one ends. In milliseconds. */
const tellingMs = 2_000

/** One of each run of this process. */
const tellers = new Set<Tell>()
let isEnding = false

/** How this process tells the others of a run of a defect of the program that ends it, until disposed of. */
export function tellDefectsBy(tell: Tell): Disposable {
  tellers.add(tell)
  return {
    [Symbol.dispose]: () => {
      tellers.delete(tell)
    },
  }
}

/**
 * Ends this process with 70 and a sentence, which the other processes of a run hear too. The reaper then ends what this
 * process has started. For listeners of `uncaughtException`.
 */
export function endByDefect(error: unknown): void {
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

/**
 * What `work` gives. A process that has nothing left to wait for before that would end as if all were well: it ends by
 * {@link endByDefect}.
 */
export async function neverDry<T>(work: () => Promise<T>): Promise<T> {
  process.once('beforeExit', endDry)
  try {
    return await work()
  } finally {
    process.off('beforeExit', endDry)
  }
}

function endDry(): void {
  endByDefect(new Error('nothing is left to wait for'))
}

/** Tells whoever is to be told that a defect ends this process. Does not throw. */
async function tellDefect(error: unknown): Promise<void> {
  // Where one fails, the others of that run notice that this process is gone, and not why.
  await Promise.allSettled([...tellers].map(async (tell) => tell(error)))
}
