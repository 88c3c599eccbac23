import { expect, test } from 'vitest'
import { mapArguments } from '../../src/client/map-arguments.ts'

const rows = (...given: readonly unknown[]): unknown => {
  const { iterables } = mapArguments(given)
  return iterables.kind === 'rows' ? iterables.rows : iterables.kind
}

test('items that are at one place in several iterables are the arguments of one call, until the shortest ends', () => {
  const endless = {
    closed: 0,
    *[Symbol.iterator]() {
      try {
        for (let i = 0; ; i++) yield i
      } finally {
        this.closed++
      }
    },
  }
  expect(rows([1, 2])).toEqual([[1], [2]])
  expect(rows('ab', new Set([1, 2, 3]), endless)).toEqual([
    ['a', 1, 0],
    ['b', 2, 1],
  ])
  expect(endless.closed).toBe(1)
  expect(rows([])).toEqual([])
})

test('options come last, and are told from iterables', () => {
  expect(mapArguments([[1], { priority: 1 }])).toEqual({
    iterables: { kind: 'rows', rows: [[1]] },
    options: { priority: 1 },
  })
  expect(mapArguments([[1], [2], { priority: 1 }]).options).toEqual({ priority: 1 })
  expect(mapArguments([[1], undefined]).options).toEqual({})
  for (const wrong of [undefined, null, 5, {}])
    expect(() => mapArguments([wrong])).toThrow(
      /^Cannot map over (undefined|null|5|\{\}): it has to be an array, or iterable/,
    )
  expect(() => mapArguments([[1], 5, {}])).toThrow('Cannot map over 5')
  expect(() => mapArguments([[1], null])).toThrow('Cannot use null as options')
  expect(() => mapArguments([[1], { concurrency: 5 }])).toThrow('Cannot use the option concurrency')
})

test('an async iterable comes alone, with a bound', () => {
  const items = (async function* () {
    yield await Promise.resolve(1)
  })()
  expect(mapArguments([items, { concurrency: 2, key: 'k' }])).toEqual({
    iterables: { kind: 'async', items },
    options: { concurrency: 2, key: 'k' },
  })
  expect(() => mapArguments([items, [1]])).toThrow('Cannot map over several async iterables')
  for (const concurrency of [0, 1.5]) expect(() => mapArguments([items, { concurrency }])).toThrow(RangeError)
})
