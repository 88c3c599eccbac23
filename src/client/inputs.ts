import type { Future } from './future.ts'

/** A value, or a future of it, also inside of arrays and objects. */
export type Input<T> =
  | T
  | Future<T>
  | (T extends readonly unknown[] | Readonly<Record<string, unknown>>
      ? { readonly [K in keyof T]: Input<T[K]> }
      : never)

/** The arguments of a call, with futures in them. */
export type Inputs<A extends readonly unknown[]> = { readonly [K in keyof A]: Input<A[K]> }
