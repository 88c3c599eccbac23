import { describe, expect, test } from 'vitest'
import { type Callable, py } from '../../src/client/callable.ts'
import type { Client } from '../../src/client/client.ts'
import type { Future } from '../../src/client/future.ts'
import { sharedClient } from '../support/client.ts'
import { debian13Python } from '../support/debian13.ts'

const newer = debian13Python()
const add = [(a: number, b: number): number => a + b, py<number, [number, number]>`lambda a, b: a + b`] as const
const increment = [(x: number): number => x + 1, py<number, [number]>`lambda x: x + 1`] as const

/** Adds pairs of neighbours until one is left, all submitted at one time. */
function addInPairs(client: Client, sum: Callable<[number, number], number>, leaves: Future<number>[]): Future<number> {
  const [first, second, ...rest] = leaves
  if (first === undefined) throw new Error('There is nothing to add')
  if (second === undefined) return first
  if (rest.length === 0) return client.submit(sum, [first, second])
  const half = leaves.length / 2
  return client.submit(sum, [
    addInPairs(client, sum, leaves.slice(0, half)),
    addInPairs(client, sum, leaves.slice(half)),
  ])
}

describe.each([
  ['of this machine', []],
  ...(newer === undefined ? [] : ([['of Debian 13', ['--python', newer]]] as const)),
] as const)('with the Dask %s', (_, args) => {
  const shared = sharedClient(2, ...args)

  test('the result of a function goes into the same function, at one time, in either language', async () => {
    const { client } = shared()
    for (const one of increment) {
      const first = client.submit<[number], number>(one, [0])
      const third = client.submit<[number], number>(one, [client.submit<[number], number>(one, [first])])
      const beside = client.submit<[number], number>(one, [10])
      expect(await client.gather([first, third, beside])).toEqual([1, 3, 11])
      const mapped = client.map<number, number>(one, client.map<number, number>(one, [1, 2, 3]))
      expect(await client.gather(mapped)).toEqual([3, 4, 5])
    }
  })

  test('1,000 leaves are added in pairs by one function, level by level, and some branch by branch', async () => {
    const { client } = shared()
    for (const one of add) {
      let level = client.map<number, number>(increment[1], Array(1000).keys())
      const branches = addInPairs(client, one, level.slice(0, 16))
      while (level.length > 1)
        level = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => {
          const [left, right] = [level[2 * i], level[2 * i + 1]]
          if (left === undefined) throw new Error('no leaf')
          return right === undefined ? left : client.submit<[number, number], number>(one, [left, right])
        })
      expect(await level[0]?.result()).toBe(500_500)
      expect(await branches.result()).toBe(136)
    }
  })
})
