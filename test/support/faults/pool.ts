/** Hosts in groups of four: some are shared by several runs, the others are lent to one run at a time. */
export class HostPool {
  readonly #shared: readonly string[]
  readonly #groups: (readonly string[])[]
  readonly #waiting: ((group: readonly string[]) => void)[] = []

  /** @param hosts the first four are shared */
  constructor(hosts: readonly string[]) {
    const groups = Array.from({ length: Math.floor(hosts.length / 4) }, (_, n) => hosts.slice(4 * n, 4 * n + 4))
    const [shared = [], ...own] = groups
    this.#shared = shared
    this.#groups = own
  }

  /** How many hosts `jobs` runs at a time want, of which some or none want their own. */
  static hostsFor(jobs: number, own: boolean): number {
    return own ? 4 * (jobs + 1) : 4
  }

  /** Runs `what` on four hosts, which nothing else uses in the meantime where `own` says so. */
  async use<T>(own: boolean, what: (hosts: readonly string[]) => Promise<T>): Promise<T> {
    if (!own) return await what(this.#shared)
    const group = this.#groups.pop() ?? (await new Promise<readonly string[]>((take) => this.#waiting.push(take)))
    try {
      return await what(group)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#groups.push(group)
      else next(group)
    }
  }
}

/** Does `what` for each of `items`, `width` at a time, in their order. */
export async function several<T>(items: readonly T[], width: number, what: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const one = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await what(item)
  }
  await Promise.all(Array.from({ length: width }, one))
}

/** Lets so many do something at a time, in the order in which they came. */
export class Turns {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(width: number) {
    this.#free = width
  }

  async take<T>(what: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((go) => this.#waiting.push(go))
    try {
      return await what()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

/** What anything that was thrown says, what came of the attempt to clean up after it included. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { error: later, suppressed } = error as { error?: unknown; suppressed?: unknown }
  if (suppressed === undefined) return error.message
  return `${wordsOf(suppressed)}\nand then: ${wordsOf(later)}`
}
