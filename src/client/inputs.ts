import type { Future } from './future.ts'
import type { TaskFuture } from './task-future.ts'

/** A future of a client, and one of a task that submits others. */
interface Futures<T> {
  readonly client: Future<T>
  readonly task: TaskFuture<T>
}
type InputKind = keyof Futures<unknown>

/** A function of any form. */
type InputFunction = (...args: never[]) => unknown

/** `any` stands for a generic T, too, of which the compiler knows nothing. */
type Sort<T> = [1] extends [T]
  ? 'any'
  : [T] extends [never]
    ? 'none'
    : [T] extends [InputFunction | symbol]
      ? 'refused'
      : 'sent'

/** Refuses what cannot be sent. Its text stands in the compiler's message. */
export type Sendable<T> =
  Sort<T> extends 'refused' ? 'Cannot be an argument: give a function by the option scope' : unknown

/** What is one value: no futures are looked for inside of it. */
type Whole =
  | InputFunction
  | TaskFuture<unknown>
  | Date
  | RegExp
  | Error
  | ArrayBuffer
  | ArrayBufferView
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>

/** Arrays, tuples and objects with futures in them. Arrays are not mapped, as the compiler would not end with one that may hold itself. */
type Within<T, K extends InputKind> = T extends Whole
  ? never
  : T extends readonly unknown[]
    ? number extends T['length']
      ? readonly Input<T[number], K>[]
      : { readonly [I in keyof T]: Input<T[I], K> }
    : T extends object
      ? { readonly [N in keyof T]: Input<T[N], K> }
      : never

/** A value, or a future of it, also inside of arrays and objects. */
export type Input<T, K extends InputKind = 'client'> = T | Futures<T>[K] | Within<T, K>

/** The arguments of a call, with futures in them. */
export type Inputs<A extends readonly unknown[], K extends InputKind = 'client'> = {
  readonly [I in keyof A]: Input<A[I], K>
}

/** Refuses what cannot be sent among them. */
export type AllSendable<A extends readonly unknown[]> = { readonly [I in keyof A]: Sendable<A[I]> }

/** What a future gives. */
export type ResultOf<F> = F extends Future<infer R> ? R : never
