import { closeSync, openSync } from 'node:fs'

/** The reaper takes six for its start, a directory that is cleared three. */
const spare = 8

/** File descriptors that are kept free for the end of a run, which has to clear up also where no more files can be opened. */
export class SpareFiles {
  #files: number[] = []

  constructor() {
    try {
      while (this.#files.length < spare) this.#files.push(openSync('/dev/null', 'r'))
    } catch {
      // There are fewer, then.
    }
  }

  /** Gives them back. May be called twice. */
  close(): void {
    for (const file of this.#files.splice(0)) closeSync(file)
  }
}
