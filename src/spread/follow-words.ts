import { defaults } from '../defaults.ts'
import { errnoOf } from '../errors.ts'
import { withIoTimeout } from '../util/io-timeout.ts'
import { monotonic } from '../util/monotonic.ts'
import type { Line } from './line.ts'
import { beginWord } from './orders.ts'

/** Time between two looks into the directory: before the run has begun, and from then on. In milliseconds. */
export const lookIntervals = { starting: 500, running: 1_000 } as const

/** How long a look may take before it counts as one that has not come back. In milliseconds. */
const lookTimeout = 5_000

/** Where a rank looks for its words. */
export interface WordSource {
  readonly rank: number
  /** The names in the directory. */
  readonly list: () => Promise<readonly string[]>
  /** The least time between two looks, which spares the filesystem where there are many ranks. In milliseconds. */
  readonly leastInterval: number
}

/**
 * Tells a rank of its words, and when its launcher has gone: then two looks, one after the other, have found no directory.
 * Any other error, and silence of the filesystem, may pass for as long as a run bears it elsewhere. There is one look at a
 * time, even where one does not come back.
 */
export class FollowedWords {
  readonly #source: WordSource
  readonly #heard = new Set<string>()
  #hasBegun = false
  #isSilent = false
  #keepsAlive = true
  #timer: NodeJS.Timeout | undefined

  constructor(source: WordSource) {
    this.#source = source
  }

  /** Whether the filesystem has not answered the last look in time. */
  get isSilent(): boolean {
    return this.#isSilent
  }

  /** Calls `onWord` with each word, and `onEnd` when the launcher has gone. */
  readonly listen: Line['listen'] = (onWord, onEnd) => {
    void this.#follow(onWord).then(onEnd)
  }

  /** From now on it does not keep this process alive. */
  unref(): void {
    this.#keepsAlive = false
    this.#timer?.unref()
  }

  /** Resolves when the launcher has gone. */
  async #follow(onWord: (word: string) => void): Promise<void> {
    let missing = 0
    let failingSince: number | undefined
    let look: Promise<readonly string[]> | undefined
    while (missing < 2 && monotonic() - (failingSince ?? monotonic()) < defaults.filesystemTimeout) {
      await this.#pause()
      const began = monotonic()
      look ??= this.#source.list().finally(() => (look = undefined))
      try {
        const names = await withIoTimeout(look, lookTimeout, () => new Silence())
        this.#isSilent = false
        missing = 0
        failingSince = undefined
        this.#hear(names, onWord)
      } catch (error) {
        this.#isSilent = error instanceof Silence
        failingSince ??= began
        missing = errnoOf(error) === 'ENOENT' ? missing + 1 : 0
      }
    }
  }

  #hear(names: readonly string[], onWord: (word: string) => void): void {
    for (const [name, word] of wordsFor(this.#source.rank, names)) {
      if (this.#heard.has(name)) continue
      this.#heard.add(name)
      this.#hasBegun ||= word === beginWord
      onWord(word)
    }
  }

  async #pause(): Promise<void> {
    const ms = Math.max(this.#source.leastInterval, lookIntervals[this.#hasBegun ? 'running' : 'starting'])
    await new Promise<void>((resolve) => {
      this.#timer = setTimeout(resolve, ms)
      if (!this.#keepsAlive) this.#timer.unref()
    })
  }
}

/** The words for a rank, each with the name that it stands in, in the order in which they were sent. */
function wordsFor(rank: number, names: readonly string[]): readonly (readonly [name: string, word: string])[] {
  const found = names.map((name) => /^([0-9]+)-([0-9]+)-([A-Za-z0-9]+)$/.exec(name)).filter((parts) => parts !== null)
  return found
    .filter((parts) => parts[2] === String(rank))
    .sort((one, other) => Number(one[1]) - Number(other[1]))
    .map(([name, , , word = '']) => [name, word] as const)
}

/** That a look has not come back. */
class Silence extends Error {}
