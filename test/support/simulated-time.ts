import { setImmediate as turn } from 'node:timers/promises'

interface Timer {
  readonly at: number
  readonly ring: () => void
}

/** A clock for very many sleepers, which jumps from one that wakes to the next. In milliseconds. */
export class SimulatedTime {
  now = 0
  /** A binary heap: the first to wake is at 0. */
  readonly #heap: Timer[] = []

  readonly sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      signal?.addEventListener('abort', () => {
        reject(signal.reason as Error)
      })
      this.#push({ at: this.now + ms, ring: resolve })
    })
  }

  /** Lets time pass until `promise` settles. */
  async run(promise: Promise<unknown>): Promise<void> {
    const settled = new AbortController()
    const mark = (): void => {
      settled.abort()
    }
    promise.then(mark, mark)
    for (;;) {
      await turn()
      if (settled.signal.aborted) break
      const next = this.#pop()
      if (next === undefined) throw new Error(`nobody wakes after ${this.now} ms`)
      this.now = next.at
      next.ring()
    }
    await promise
  }

  #push(timer: Timer): void {
    const heap = this.#heap
    let i = heap.push(timer) - 1
    for (let up = (i - 1) >> 1; i > 0 && at(heap, up) > timer.at; i = up, up = (i - 1) >> 1) swap(heap, i, up)
  }

  #pop(): Timer | undefined {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    heap[0] = last
    for (let i = 0; ;) {
      const down = at(heap, 2 * i + 1) <= at(heap, 2 * i + 2) ? 2 * i + 1 : 2 * i + 2
      if (at(heap, down) >= last.at) return first
      swap(heap, i, down)
      i = down
    }
  }
}

function at(heap: readonly Timer[], index: number): number {
  return heap[index]?.at ?? Infinity
}

function swap(heap: Timer[], a: number, b: number): void {
  const [first, second] = [heap[a], heap[b]]
  if (first === undefined || second === undefined) return
  heap[a] = second
  heap[b] = first
}
