import { readFile } from 'node:fs/promises'
import { formatBytes } from '../util/format.ts'
import { withIoTimeout } from '../util/io-timeout.ts'
import { monotonic } from '../util/monotonic.ts'
import { groupDirectories, readBytes } from './cgroup.ts'

/** The kernel has killed a process because memory had run out. */
export interface OutOfMemory {
  /** The limit that was reached. Undefined: the machine's memory, or a limit of a control group that cannot be seen from here. */
  readonly limit?: MemoryLimit
}

/** A limit of a control group. */
interface MemoryLimit {
  /** In bytes. */
  readonly amount: number
  /** The file that says so. */
  readonly file: string
}

/** What had no memory left, in words that continue `the kernel killed it because`. */
export function formatOutOfMemory({ limit }: OutOfMemory): string {
  if (limit === undefined) return 'the machine, or a control group that cannot be seen here, had no memory left'
  return `its control group had used all memory that it may have: ${formatBytes(limit.amount)} (${limit.file})`
}

/** A number in a file of a control group: behind `key`, or alone in the file. */
interface Counter {
  readonly file: string
  readonly key?: string
}

/** How a version of control groups counts what the kernel has killed, and how often each limit was reached. */
interface Version {
  readonly kills: Counter
  readonly limits: readonly { readonly file: string; readonly hits: Counter }[]
}

const versions: readonly Version[] = [
  {
    kills: { file: 'memory.events', key: 'oom_kill' },
    limits: [{ file: 'memory.max', hits: { file: 'memory.events', key: 'oom' } }],
  },
  {
    // Since Linux 4.13, and of the group alone in which it was killed.
    kills: { file: 'memory.oom_control', key: 'oom_kill' },
    limits: [
      { file: 'memory.limit_in_bytes', hits: { file: 'memory.failcnt' } },
      // Memory and swap together.
      { file: 'memory.memsw.limit_in_bytes', hits: { file: 'memory.memsw.failcnt' } },
    ],
  },
]

/** How long reading may take. In milliseconds. */
const readTimeoutMs = 500
/** How often the counter is read while something runs, so that an end is not taken for what was killed long before. In milliseconds. */
const intervalMs = 5_000
/** What ends so soon after the kernel has killed may have been killed, or have ended with what was. In milliseconds. */
const recentMs = 2_000

/** The text of a file, or undefined where it cannot be read. */
type ReadTextLater = (path: string) => Promise<string | undefined>

/** A counter as it was read. */
interface Count extends Counter {
  readonly count: number
}

/** What has been counted so far. */
interface Counts {
  /** By the lowest control group that counts it. */
  readonly kills: Count
  /** The limits of that group and of all above it, from below. */
  readonly limits: readonly { readonly file: string; readonly hits: Count }[]
}

/**
 * Knows whether the kernel has just killed a process of this one's control group because memory had run out, which of its
 * limits that was, or of those of the groups above. What it cannot read in time it does not know, and it does not throw.
 */
export class OutOfMemoryWatch {
  readonly #read: ReadTextLater
  #added = 0
  #stopLooking: () => void = () => undefined
  #counts: Counts | undefined
  /** What is read comes one after the other; nothing is read while a file does not answer. */
  #reading: Promise<unknown> = Promise.resolve()
  #isLate = false
  #last: { readonly atMs: number; readonly found: OutOfMemory } | undefined

  /** @param read @default the files of this machine */
  constructor(read: ReadTextLater = async (path) => await readFile(path, 'utf8').catch(() => undefined)) {
    this.#read = read
  }

  /** Something is there that may be killed: until it has ended, the counter is looked at. */
  add(): void {
    if (this.#added++ > 0) return
    void this.#next(async () => {
      this.#counts = await this.#countAll()
    })
    const timer = setInterval(() => void this.#next(async () => this.#compare()), intervalMs)
    timer.unref()
    this.#stopLooking = () => {
      clearInterval(timer)
    }
  }

  /** One of them has ended. */
  remove(): void {
    if (--this.#added === 0) this.#stopLooking()
  }

  /** Something was killed: whether the kernel did that for lack of memory. */
  async find(): Promise<OutOfMemory | undefined> {
    await this.#next(async () => this.#compare())
    return this.#last !== undefined && monotonic() - this.#last.atMs < recentMs ? this.#last.found : undefined
  }

  async #next(read: () => Promise<void>): Promise<void> {
    const reading = this.#reading.then(async () => {
      if (!this.#isLate) await this.#inTime(read())
    })
    this.#reading = reading
    await reading
  }

  async #inTime(reading: Promise<void>): Promise<void> {
    const late = (): Error => {
      this.#isLate = true
      void reading.finally(() => {
        this.#isLate = false
      })
      return new Error('it is late')
    }
    await withIoTimeout(reading, readTimeoutMs, late).catch(() => undefined)
  }

  async #compare(): Promise<void> {
    const before = this.#counts
    const kills = before && (await this.#count(before.kills))
    if (before === undefined || kills === undefined || kills.count <= before.kills.count) return
    const limit = await this.#reachedSince(before)
    this.#last = { atMs: monotonic(), found: { ...(limit && { limit }) } }
    this.#counts = (await this.#countAll()) ?? { ...before, kills }
  }

  /** The lowest of the limits that have been reached since then. */
  async #reachedSince({ limits }: Counts): Promise<MemoryLimit | undefined> {
    for (const { file, hits } of limits) {
      const now = await this.#count(hits)
      const amount = now !== undefined && now.count > hits.count ? readBytes(await this.#read(file)) : undefined
      if (amount !== undefined) return { amount, file }
    }
    return undefined
  }

  async #countAll(): Promise<Counts | undefined> {
    const [mountinfo, cgroup] = await Promise.all([this.#read('/proc/self/mountinfo'), this.#read('/proc/self/cgroup')])
    const hierarchies = groupDirectories((path) => (path === '/proc/self/cgroup' ? cgroup : mountinfo), 'memory')
    const places = versions.flatMap((version) => hierarchies.map((directories) => ({ version, directories })))
    const found = await Promise.all(places.map(async (place) => this.#countIn(place.version, place.directories)))
    return found.find((counts) => counts !== undefined)
  }

  /** What is counted in a hierarchy, if that counts for this version. */
  async #countIn({ kills, limits }: Version, directories: readonly string[]): Promise<Counts | undefined> {
    const all = await this.#countEach(directories.map((directory) => inGroup(directory, kills)))
    const lowest = all.findIndex((count) => count !== undefined)
    const found = all[lowest]
    if (found === undefined) return undefined
    const above = directories
      .slice(lowest)
      .flatMap((directory) =>
        limits.map(({ file, hits }) => ({ file: `${directory}/${file}`, hits: inGroup(directory, hits) })),
      )
    const counts = await this.#countEach(above.map(({ hits }) => hits))
    return {
      kills: found,
      limits: above.flatMap(({ file }, i) => {
        const hits = counts[i]
        return hits === undefined ? [] : [{ file, hits }]
      }),
    }
  }

  async #countEach(counters: readonly Counter[]): Promise<readonly (Count | undefined)[]> {
    return await Promise.all(counters.map(async (counter) => this.#count(counter)))
  }

  /** Undefined where the file cannot be read, or does not say it. */
  async #count(counter: Counter): Promise<Count | undefined> {
    const text = await this.#read(counter.file)
    const pattern = counter.key === undefined ? /^(\d+)\s*$/ : new RegExp(`^${counter.key} (\\d+)$`, 'm')
    const [, digits] = pattern.exec(text ?? '') ?? []
    return digits === undefined ? undefined : { ...counter, count: Number(digits) }
  }
}

function inGroup(directory: string, counter: Counter): Counter {
  return { ...counter, file: `${directory}/${counter.file}` }
}

/** That of this process. */
export const outOfMemoryWatch = new OutOfMemoryWatch()
