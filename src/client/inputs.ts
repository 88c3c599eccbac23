import type { Future } from './future.ts'

/** What is one value: no futures are looked for inside of it. */
type Whole =
  | ((...args: never[]) => unknown)
  | Future<unknown>
  | Date
  | RegExp
  | Error
  | ArrayBuffer
  | ArrayBufferView
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>

/** A value, or a future of it, also inside of arrays and objects. */
export type Input<T> =
  T | Future<T> | (T extends Whole ? never : T extends object ? { readonly [K in keyof T]: Input<T[K]> } : never)

/** The arguments of a call, with futures in them. */
export type Inputs<A extends readonly unknown[]> = { readonly [K in keyof A]: Input<A[K]> }

/** What a future gives. */
export type ResultOf<F> = F extends Future<infer R> ? R : never
