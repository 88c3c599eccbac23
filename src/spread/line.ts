import { Socket } from 'node:net'
import { messageOf, RunnerError } from '../errors.ts'
import { forEachLine } from '../process/output.ts'
import { ownProgram } from '../util/own-program.ts'

/** What connects a rank with its launcher, after its orders have come. */
export interface Line {
  /** Calls `onWord` with each word of the launcher, and `onEnd` when that has gone. Keeps this process alive. */
  listen(onWord: (word: string) => void, onEnd: () => void): void
  /** Tells the launcher that this rank is ready, by the word of the orders. */
  sayReady(word: string): Promise<void>
  /** From now on it does not keep this process alive. */
  unref(): void
}

/** What a rank reads its orders from: its standard input is the user's program's, and says nothing. */
const ordersDescriptor = 3

/** Moves the line from the launcher away from standard input. */
const script = `exec ${ordersDescriptor}<&0 </dev/null; exec "$@"`
const scriptWithoutInput = 'exec "$@" </dev/null'

/**
 * The command that takes part in the run, on whatever host it is started. Its arguments tell nothing that others may not
 * read: what it needs comes by its standard input, or is in a directory.
 *
 * @param place the directory, and which rank it is there
 */
export function remoteCommand(place: readonly string[] = []): readonly [string, ...string[]] {
  const own = [process.execPath, ownProgram(), 'rank', ...place]
  return ['/bin/sh', '-c', place.length === 0 ? script : scriptWithoutInput, 'dask-run-rank', ...own]
}

/** Opens the stream from the launcher. @throws RunnerError ERR_USAGE where there is none. */
export function openStream(): Socket {
  try {
    return new Socket({ fd: ordersDescriptor, readable: true, writable: false })
  } catch (cause) {
    throw new RunnerError(`Cannot take part in a run: no orders come from a launcher (${messageOf(cause)})`, {
      code: 'ERR_USAGE',
      cause,
    })
  }
}

/** A line over the standard input that the remote start hands on. */
export function streamLine(stream: Socket): Line {
  return {
    listen: (onWord, onEnd) => {
      forEachLine(stream, onWord)
      stream.once('close', onEnd)
      stream.resume()
    },
    sayReady: async (word) => {
      process.stdout.write(`${word}\n`)
      await Promise.resolve()
    },
    unref: () => stream.unref(),
  }
}
