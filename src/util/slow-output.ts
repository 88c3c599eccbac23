import { settledWithin } from './wait.ts'

/** What is asked of `process.stdout` and `process.stderr`: into a pipe they write what it takes, and keep the rest. */
export interface OutputStream {
  readonly writableLength: number
  write(text: string | Uint8Array, onTaken?: () => void): unknown
}

/** How long whoever reads our output may take for what is left at the end. In milliseconds. */
const endingMs = 2_000

/** What waits for whoever reads our output, at most: whoever prints waits then. In bytes. */
const mostWaiting = 1_000_000

/** Writes, and gives what resolves when more is to be written; undefined: at once. */
export function writeTo(stream: OutputStream, text: string | Uint8Array): Promise<void> | undefined {
  stream.write(text)
  return stream.writableLength > mostWaiting ? untilTaken(stream) : undefined
}

/** Resolves when whoever reads a stream has taken what was written so far, or cannot. */
export async function untilTaken(stream: OutputStream): Promise<void> {
  await new Promise<void>((resolve) => {
    // It comes behind all that waits.
    stream.write('', resolve)
  })
}

/** Before an exit, which loses what whoever reads our output has not taken: waits for that, but not for long. */
export async function untilOutputTaken(
  streams: readonly OutputStream[] = [process.stdout, process.stderr],
): Promise<void> {
  const slow = streams.filter(({ writableLength }) => writableLength > 0)
  if (slow.length > 0) await settledWithin(Promise.all(slow.map(untilTaken)), endingMs)
}
