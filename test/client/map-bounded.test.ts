import { expect, test } from 'vitest'
import type { Future } from '../../src/client/future.ts'
import { mapBounded } from '../../src/client/map-bounded.ts'
import { type Deferred, deferred } from '../../src/util/deferred.ts'

/** Tasks that complete when the test says so. */
class Tasks {
  readonly made: { readonly item: number; readonly end: Deferred<undefined>; released: boolean }[] = []

  readonly submit = (item: number): Future<number> => {
    const task = { item, end: deferred<undefined>(), released: false }
    this.made.push(task)
    const future = { key: String(item), exception: () => task.end.promise, release: () => (task.released = true) }
    return future as unknown as Future<number>
  }

  end(...items: number[]): void {
    for (const { item, end } of this.made) if (items.includes(item)) end.resolve(undefined)
  }

  get items(): number[] {
    return this.made.map(({ item }) => item)
  }
}

const settle = async (): Promise<void> => {
  await new Promise(setImmediate)
}

/** Counts what is taken of it, and whether it was closed. */
class Source {
  closed = false
  async *items(count: number): AsyncGenerator<number> {
    try {
      for (let i = 0; i < count; i++) yield await Promise.resolve(i)
    } finally {
      this.closed = true
    }
  }
}

test('no more tasks are under way than the bound; they come in the order of their items', async () => {
  const tasks = new Tasks()
  const mapped = mapBounded(new Source().items(5), tasks.submit, { concurrency: 2 })
  const first = mapped.next()
  await settle()
  expect(tasks.items).toEqual([0, 1])
  tasks.end(1)
  await settle()
  expect(tasks.items).toEqual([0, 1])
  tasks.end(0)
  expect((await first).value?.key).toBe('0')
  const second = mapped.next()
  expect((await second).value?.key).toBe('1')
  const rest: string[] = []
  const reading = (async () => {
    for await (const { key } of mapped) rest.push(key)
  })()
  for (const item of [2, 3, 4]) {
    await settle()
    tasks.end(item)
  }
  await reading
  expect(rest).toEqual(['2', '3', '4'])
})

test('a loop that ends early releases what is under way and closes the source', async () => {
  const [tasks, source] = [new Tasks(), new Source()]
  const mapped = mapBounded(source.items(9), tasks.submit, { concurrency: 3 })
  const first = mapped.next()
  await settle()
  tasks.end(0)
  await first
  await mapped.return(undefined)
  await settle()
  expect(tasks.made.map(({ released }) => released)).toEqual([false, true, true])
  expect(source.closed).toBe(true)
})

test('an item of which no task can be made ends the loop, and closes the source', async () => {
  const source = new Source()
  const refuse = (): never => {
    throw new TypeError('cannot be sent')
  }
  await expect(mapBounded(source.items(9), refuse, { concurrency: 3 }).next()).rejects.toThrow('cannot be sent')
  await settle()
  expect(source.closed).toBe(true)
})

test('an error of the source comes after what was under way, a signal at once', async () => {
  const failing = (async function* () {
    yield await Promise.resolve(0)
    throw new Error('no more')
  })()
  const tasks = new Tasks()
  const mapped = mapBounded(failing, tasks.submit, { concurrency: 2 })
  const first = mapped.next()
  await settle()
  tasks.end(0)
  expect((await first).value?.key).toBe('0')
  await expect(mapped.next()).rejects.toThrow('no more')

  const controller = new AbortController()
  const waiting = mapBounded(new Source().items(3), new Tasks().submit, { concurrency: 1, signal: controller.signal })
  const next = waiting.next()
  await settle()
  controller.abort(new Error('enough'))
  await expect(next).rejects.toThrow('enough')
})
