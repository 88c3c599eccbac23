import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { endByDefect, type Tell, tellDefectsBy } from '../util/defects.ts'
import { ownFile } from '../util/own-program.ts'

/**
 * Until it is disposed of: what our own code throws, and nobody catches, ends this process with 70 and a sentence, and `tell` has
 * the others of the run hear of it. What somebody's program throws ends it as it would without us: a monitor changes nothing of that.
 * An error that the program gets from us is the program's: its stack leads to the line that has asked.
 */
export function watchOwnDefects(tell: Tell): Disposable {
  const file = packageFile()
  const monitor = (error: unknown): void => {
    if (file === undefined || !isFrom(file, error)) return
    // Node asks for listeners after its monitors.
    process.once('uncaughtException', endByDefect)
  }
  process.on('uncaughtExceptionMonitor', monitor)
  const told = tellDefectsBy(tell)
  return {
    [Symbol.dispose]: () => {
      told[Symbol.dispose]()
      process.off('uncaughtExceptionMonitor', monitor)
    },
  }
}

/** Whether an error comes from `file`, called by Node: no other file is in its stack, which goes as far back as to Node where it was cut. */
export function isFrom(file: string, error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  const own = [file, pathToFileURL(file).href]
  const places = frames.map((frame) => /(?: |\()([^ ()]+):\d+:\d+\)?$/.exec(frame)?.[1] ?? '')
  const isCut = places.length >= Error.stackTraceLimit && !places.at(-1)?.startsWith('node:')
  return (
    !isCut &&
    places.some((place) => own.includes(place)) &&
    places.every((place) => own.includes(place) || place.startsWith('node:'))
  )
}

/** The file of this code, unless it is a bundle with code of somebody else. */
function packageFile(): string | undefined {
  try {
    const file = ownFile()
    const { name } = JSON.parse(readFileSync(join(dirname(file), '../package.json'), 'utf8')) as { name?: unknown }
    return name === 'dask-hpc-runner' ? file : undefined
  } catch {
    return undefined
  }
}
