import { Progress } from './progress.ts'
import type { Logger } from '../logger.ts'

const prefix = '[dask-hpc-runner] '

/** A wait that is shorter is not worth a word. In milliseconds. */
const progressDelayMs = 2_000

/** Says in words what is being waited for, again and again, where that takes longer than a moment; until disposed of. */
export function showProgress({ logger }: { readonly logger: Logger }, text: () => string): Disposable {
  const progress = new Progress({
    prefix,
    log: (line) => {
      logger.info(line.replace(prefix, ''))
    },
  })
  const timer = setInterval(() => {
    progress.say(text())
  }, progressDelayMs)
  timer.unref()
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer)
      progress.end()
    },
  }
}
