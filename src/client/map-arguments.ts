import { checkIsObject } from '../util/nearest.ts'
import { checkOptions, checkSubmitOptions, formatValue } from './check-options.ts'
import type { MapOptions } from './submit-options.ts'

/** What `map` is called with, beside the function. */
export interface MapArguments {
  /** The arguments of each call, or what they come from one by one. */
  readonly iterables:
    | { readonly kind: 'rows'; readonly rows: readonly (readonly unknown[])[] }
    | { readonly kind: 'async'; readonly items: AsyncIterable<unknown> }
  readonly options: MapOptions
}

/** Iterables, and then perhaps options. @throws TypeError or RangeError that says what is wrong. */
export function mapArguments([first, ...others]: readonly unknown[]): MapArguments {
  const last = others.at(-1)
  const hasOptions = others.length > 0 && !isIterable(last)
  const options = (hasOptions ? (last === undefined ? {} : last) : {}) as MapOptions
  const more = hasOptions ? others.slice(0, -1) : others
  if (isAsyncIterable(first)) {
    checkIsObject(options)
    const { concurrency, signal, ...submit } = options
    checkOptions({ concurrency, signal }, ['concurrency', 'signal'])
    checkSubmitOptions(submit)
    if (more.length > 0) throw new TypeError('Cannot map over several async iterables: give one, of arrays for example')
    return { iterables: { kind: 'async', items: first }, options }
  }
  checkSubmitOptions(options)
  const iterables = [first, ...more].map((items) => {
    if (!isIterable(items))
      throw new TypeError(`Cannot map over ${formatValue(items)}: it has to be an array, or iterable otherwise`)
    return items
  })
  return { iterables: { kind: 'rows', rows: zip(iterables) }, options }
}

/** The items at each place, until the shortest ends; one that goes on without end may stand beside others. */
function zip(iterables: readonly Iterable<unknown>[]): unknown[][] {
  const iterators = iterables.map((items) => items[Symbol.iterator]())
  const rows: unknown[][] = []
  for (;;) {
    const row = iterators.map((iterator) => iterator.next())
    if (row.some(({ done }) => done === true)) {
      for (const [i, { done }] of row.entries()) if (done !== true) iterators[i]?.return?.()
      return rows
    }
    rows.push(row.map(({ value }): unknown => value))
  }
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof (value as Partial<Iterable<unknown>> | undefined | null)?.[Symbol.iterator] === 'function'
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof (value as Partial<AsyncIterable<unknown>> | undefined | null)?.[Symbol.asyncIterator] === 'function'
}
