import { expect, test } from 'vitest'
import { exported, py, type RemoteFunction } from '../../src/client/callable.ts'
import type { HelperConnection, HelperOrder } from '../../src/client/connection.ts'
import { Submissions } from '../../src/client/submissions.ts'
import { encodePlain } from '../../src/client/values/plain.ts'
import { collect } from '../dask/support/heap.ts'
import { until } from '../support/until.ts'

interface SentGroup {
  readonly call: number
  readonly spec?: Uint8Array
  readonly items: readonly unknown[]
}

class Sent {
  readonly orders: HelperOrder[] = []
  readonly #submissions: Submissions
  #number = 0

  constructor() {
    const send = (order: HelperOrder): void => void this.orders.push(order)
    this.#submissions = new Submissions({ send } as unknown as HelperConnection)
  }

  /** What is sent for these tasks: the number of the function, whether it goes along, and how many tasks it has. */
  of(...remotes: RemoteFunction<never>[]): (readonly [call: number, described: boolean, tasks: number])[] {
    for (const remote of remotes) {
      const number = this.#number++
      const args = encodePlain([], 'args')
      this.#submissions.add({ number, key: `key-${number}`, remote, args, dependencies: [], options: {} })
    }
    this.#submissions.flush()
    const groups = (this.orders.at(-1)?.groups ?? []) as readonly SentGroup[]
    return groups.map(({ call, spec, items }) => [call, spec !== undefined, items.length])
  }
}

const increment = (): RemoteFunction<never> => py`lambda x: x + 1`

test('equal functions that are made anew are sent once, and their tasks in one group', () => {
  const sent = new Sent()
  expect(sent.of(increment(), increment())).toEqual([[0, true, 2]])
  expect(sent.of(increment(), py`lambda x: x + ${2}`, py`lambda x: x + ${3}`)).toEqual([
    [0, false, 1],
    [1, true, 1],
    [2, true, 1],
  ])
  const area = (): RemoteFunction<never> => exported('/shapes.mjs', 'area')
  expect(sent.of(area(), increment(), area())).toEqual([
    [3, true, 1],
    [0, false, 1],
    [3, false, 1],
  ])
})

test('a function is forgotten when all equal ones have been collected as garbage, and sent again when it is there again', async () => {
  const sent = new Sent()
  const kept = py`lambda: "kept"`
  sent.of(increment(), py`lambda: "kept"`, kept, increment())
  const forgotten = (): unknown[] => {
    collect()
    return sent.orders.filter(({ order }) => order === 'forget function').map(({ call }) => call)
  }
  await until(forgotten, (calls) => calls.length > 0, { what: 'a function that is forgotten', say: String })
  expect(forgotten()).toEqual([0])
  expect(sent.of(kept, increment())).toEqual([
    [1, false, 1],
    [2, true, 1],
  ])
})
