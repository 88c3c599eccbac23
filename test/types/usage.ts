/* eslint @typescript-eslint/no-unnecessary-type-parameters: off, @typescript-eslint/require-await: off, @typescript-eslint/consistent-type-definitions: off,
  @typescript-eslint/no-unused-vars: off, @typescript-eslint/no-explicit-any: off, @typescript-eslint/no-unsafe-return: off, @typescript-eslint/no-meaningless-void-operator: off,
  @typescript-eslint/ban-ts-comment: off -- these are types as people write them */
// What has to compile, and what must not, for whoever uses the library: compiled with the project, and by the oldest and the
// newest TypeScript against the packed package (test/cluster/consumer.test.ts). Nothing here is run.
import {
  BaseRunner,
  type Client,
  type Duration,
  exported,
  FileRendezvous,
  Future,
  LocalRunner,
  MPIRunner,
  type NDArray,
  py,
  type RemoteFunction,
  type Rendezvous,
  type RunContext,
  type RunnerError,
  type RunnerOptions,
  SLURMRunner,
  type SubmitOptions,
  type TaskError,
  type WaitOptions,
  withClient,
} from 'dask-hpc-runner'

// A check of one type against another: is<Wanted>()(value).
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function is<A>() {
  return <B>(_b: B, ..._e: Equal<A, B> extends true ? [] : [never]): void => undefined
}
declare const client: Client
declare const fn: Future<number>
declare const fs: Future<string>
declare const nd: NDArray
// map: what the items are is known from either side.
is<Future<number>[]>()(client.map((x) => x * 2, [1, 2, 3]))
is<Future<string>[]>()(client.map((x) => x.toUpperCase(), ['a', 'b']))
is<Future<number>[]>()(client.map((x: number) => x * 2, [1, fn, 3]))
is<Future<number>[]>()(client.map((x) => x * 2, [fn, fn]))
is<Future<number>[]>()(client.map((x: number | string) => Number(x), [1, 2]))
is<Future<number>[]>()(client.map((p: { a: number }) => p.a, [{ a: fn }, { a: 3 }]))
is<Future<number>[]>()(client.map(py<number>`lambda x: x`, [1, 2]))
is<Future<unknown>[]>()(client.map(py`lambda x: x`, [1, 'a']))
is<Future<number>[]>()(client.map(py<number, [number]>`lambda x: x`, [1]))
// @ts-expect-error -- another type, or too few
client.map(py<number, [number]>`lambda x: x`, ['a'])
// @ts-expect-error -- another type, or too few
client.map((x: number) => x, ['a'])
// @ts-expect-error -- another type, or too few
client.map((x: number) => x, [1, 'a'])
// submit: what a function needs has to be there.
is<Future<number>>()(client.submit((x: number) => x + 1, [1]))
is<Future<number>>()(client.submit((x: number) => x + 1, [fn]))
is<Future<number>>()(client.submit((x) => x + 1, [1]))
is<Future<number>>()(client.submit((x: number, y: string) => x + y.length, [1, 'a']))
is<Future<number>>()(client.submit((xs: number[]) => xs.length, [[1, fn]]))
is<Future<number>>()(client.submit((xs: readonly number[]) => xs.length, [client.map((x) => x + 1, [1])]))
is<Future<number>>()(client.submit(() => 3))
is<Future<number>>()(client.submit(async () => 3, []))
is<Future<number>>()(client.submit(() => 3, undefined, { retries: 1 }))
is<Future<number>>()(client.submit((x?: number) => x ?? 3))
is<Future<number>>()(client.submit((...xs: number[]) => xs.length, [1, 2, 3]))
is<Future<number>>()(client.submit(py<number>`lambda: 3`))
is<Future<number>>()(client.submit(py<number>`lambda x: x`, [1, fn, nd]))
is<Future<unknown>>()(client.submit(py.import('math.hypot'), [1, 2]))
// @ts-expect-error -- another type, or too few
client.submit((x: number) => x)
// @ts-expect-error -- another type, or too few
client.submit((x: number, y: number) => x + y, [1])
// @ts-expect-error -- another type, or too few
client.submit((x: number) => x, ['a'])
// @ts-expect-error -- another type, or too few
client.submit((x: number) => x, [1, 2])
// Parameters that may be left out: with a default or a question mark, and any number of them.
is<Future<number>>()(client.submit((x = 1) => x + 1))
is<Future<number>>()(client.submit((x = 1) => x + 1, []))
is<Future<number>>()(client.submit((x = 1) => x + 1, [fn]))
is<Future<number>>()(client.submit((x: number, y = 2) => x + y, [1]))
is<Future<number>>()(client.submit((x: number, y = 2) => x + y, [1, fn]))
is<Future<number>>()(client.submit((x: number, y?: number) => x + (y ?? 1), [fn]))
is<Future<number>>()(client.submit((x: number, ...ys: number[]) => x + ys.length, [1, fn, 3]))
is<Future<number>[]>()(client.map((x: number, y = 2) => x + y, [1]))
is<Future<number>[]>()(client.map((x: number, y?: number) => x + (y ?? 1), [1], [fn]))
is<Future<number>>()(client.submit(() => 3, [fn])) // after another
// Generic functions, and functions that hand on what they are given.
function sizeOf<T extends { length: number }>(x: T): number {
  return x.length
}
is<Future<number>>()(client.submit(sizeOf, ['abc']))
is<Future<unknown>>()(client.submit(<T>(x: T) => x, [1])) // gen<number>, below, is known
async function everywhere<T, R>(f: (x: T) => R, xs: readonly T[]): Promise<Awaited<R>[]> {
  return await client.gather(client.map(f, xs))
}
function call<A extends unknown[], R>(f: (...args: A) => R, ...args: A): Future<Awaited<R>> {
  return client.submit(f, args)
}
function after<T, R>(future: Future<T>, f: (x: T) => R): Future<Awaited<R>> {
  return client.submit(f, [future])
}
function combine<T>(f: (xs: T[]) => T, futures: Future<T>[]): Future<Awaited<T>> {
  return client.submit(f, [futures])
}
is<Promise<number[]>>()(everywhere((x: number) => x, [1]))
is<Future<number>>()(call((x: number, y: string) => x + y.length, 1, 'a'))
is<Future<string>>()(after(fn, String))
is<Future<number>>()(combine((xs: number[]) => xs.length, [fn]))
// Of a function with several signatures the last one counts, as everywhere in TypeScript.
declare function either2(x: number): number
declare function either2(x: string): string
is<Future<string>>()(client.submit(either2, ['a']))
// What is any or unknown passes.
declare const whatever: any
declare const unknown: unknown
is<Future<unknown>>()(client.submit((x: unknown) => x, [unknown]))
is<Future<any>>()(client.submit((x: any) => x, [whatever]))
is<Future<any>[]>()(client.map((x: any) => x, [1, 'a', fn]))
// @ts-expect-error -- the kind of the result has to be said: py<number>
client.submit((x: number) => x, [client.submit(py`lambda: 1`, [] as readonly [])] satisfies [Future<unknown>])
// What cannot be sent.
// @ts-expect-error -- a function is given by the scope
client.submit((f: (x: number) => number) => f(1), [(x: number) => x])
// @ts-expect-error -- a function is given by the scope
client.submit((f: (x: number) => number, x: number) => f(x), [(x: number) => x, 1])
// @ts-expect-error -- a function is given by the scope
client.map((f: () => number) => f(), [() => 1])
// @ts-expect-error -- a symbol
client.submit((x: symbol) => String(x), [Symbol('s')])
// run: the same.
is<Readonly<Record<string, number>>>()(await client.run((x: number) => x, [1], { workers: [1] }))
is<Readonly<Record<string, number>>>()(await client.run((x) => x * 2, [1]))
is<Readonly<Record<string, number>>>()(await client.run((x = 2) => x))
is<Readonly<Record<string, number>>>()(await client.run(() => 3, undefined, { workers: undefined }))
is<Readonly<Record<string, number>>>()(await client.run((x: number, y: number) => x + y, [1, 2], { onError: 'ignore' }))
is<Readonly<Record<string, number | TaskError>>>()(await client.run(() => 3, [], { onError: 'return' }))
is<number>()(await client.runOnScheduler(py<number>`lambda: 3`))
is<number>()(await client.runOnScheduler((x) => x * 2, [1]))
// @ts-expect-error -- another type, or too few
void client.run((x: number) => x + 1)
// @ts-expect-error -- another type, or too few
void client.run((x: number) => x + 1, undefined, { onError: 'return' })
// @ts-expect-error -- another type, or too few
void client.runOnScheduler((x: number) => x + 1)
// @ts-expect-error -- it takes no futures
void client.run((x: number) => x + 1, [fn])
// A task that submits others.
const sum = withClient(async (client, values: readonly number[]): Promise<number> => {
  const squares = client.map((x) => x * x, values)
  const one = client.submit((xs: number[]) => xs.length, [squares])
  const two = client.submit((x: { of: number[] }, y = 2) => x.of.length + y, [{ of: squares }])
  is<[number, number]>()(await client.gather([one, two]))
  // @ts-expect-error -- another type
  client.submit((xs: number[]) => xs.length, ['a'])
  return await one.result()
})
is<Future<number>>()(client.submit(sum, [[1, 2]]))
// What comes back.
is<[number, string]>()(await client.gather([fn, fs]))
is<number[]>()(await client.gather([fn, fn] as readonly Future<number>[]))
is<[PromiseSettledResult<number>, PromiseSettledResult<string>]>()(await client.gatherSettled([fn, fs]))
for await (const [future, result] of client.asCompleted([fn], { withResults: true, raiseErrors: false })) {
  is<Future<number>>()(future)
  is<number | RunnerError>()(result)
}
is<Future<number>>()(await client.getDataset<Future<number>>('one'))
is<Future<number>[]>()(await client.getDataset<Future<number>[]>('several'))
is<[Future<number>, Future<string>]>()(await client.getDataset<[Future<number>, Future<string>]>('both'))
export const squares: Future<number>[] = await client.getDataset('squares')
const dataset = await client.getDataset('any')
is<unknown>()(dataset instanceof Future ? await dataset.result() : (await client.gather(dataset))[0])
// @ts-expect-error -- a dataset is of futures
void client.getDataset<number>('one')
// Objects of an interface may hold futures.
interface Point {
  x: number
  y: number
  name?: string
  when: Date
  data: Float64Array
}
declare const p: Point
const norm = (p: Point): number => p.x
is<Future<number>>()(client.submit(norm, [p]))
is<Future<number>>()(client.submit(norm, [{ x: fn, y: 1, when: new Date(), data: new Float64Array(1) }]))
is<Future<number>>()(
  client.submit((ps: Point[]) => ps.length, [[{ x: fn, y: 1, when: new Date(), data: new Float64Array(1) }, p]]),
)
// @ts-expect-error -- another type, or too few
client.submit(norm, [{ x: 'a', y: 1, when: new Date(), data: new Float64Array(1) }])
// @ts-expect-error -- another type, or too few
client.submit(norm, [{ x: 1 }])
is<Future<number>>()(client.submit((m: Map<string, number>) => m.size, [new Map([['a', 1]])]))
type Tree = { left?: Tree; value: number }
is<Future<number>>()(client.submit((t: Tree) => t.value, [{ left: { value: fn }, value: 1 }]))
// What contains itself, as JSON does; readonly arrays and tuples; futures anywhere in them.
type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
declare const json: Json
is<Future<Json>>()(client.submit((x: Json) => x, [json]))
is<Future<Json>>()(client.submit((x: Json) => x, [{ a: [1, { b: fn }] }]))
is<Future<Json>[]>()(client.map((x: Json) => x, [json, 1, ['a']]))
is<Future<string>>()(client.submit((x: readonly [number, string]) => x[1], [[fn, 'a']] as const))
is<Future<string>>()(client.submit((x: [number, string]) => x[1], [[fn, fs]]))
is<Future<number>>()(client.submit((x: number, y: string) => x + y.length, [1, 'a'] as const))
is<Future<string>[]>()(client.map(([k, v]: [string, number]) => k + String(v), Object.entries({ a: 1 })))
// @ts-expect-error -- too few in the tuple
client.submit((x: [number, string]) => x.length, [[fn]])
declare const area: (w: number, h: number) => number
is<Future<number>>()(client.submit(exported<typeof area>('x', 'area'), [1, 2]))
// @ts-expect-error -- another type, or too few
client.submit(exported<typeof area>('x', 'area'), [1])
declare const gen: <T>(x: T) => T
is<Future<number>>()(client.submit(gen<number>, [1]))
declare const either: ((x: number) => number) | RemoteFunction<[number], number>
is<Future<number>>()(client.submit(either, [1]))
declare const anyF: (...args: any[]) => any
client.submit(anyF, [1, 2])
// Options may be undefined under exactOptionalPropertyTypes too; a duration is checked.
declare const s: AbortSignal | undefined
const w: WaitOptions = { signal: s, timeout: undefined }
void fn.result({ signal: s })
void w
const so: SubmitOptions = { retries: undefined }
void so
void fn.result({ timeout: '30s' })
void fn.result({ timeout: '1.5m' })
// @ts-expect-error -- another type, or too few
void fn.result({ timeout: 'soon' })
// @ts-expect-error -- another type, or too few
void fn.result({ timeout: '30' })
// A minus is refused when it runs: types that knew it would refuse this as well.
void fn.result({ timeout: `${Number(process.env.SECONDS)}s` })
const patience: Duration = '500ms'
void fn.result({ timeout: patience })

// The options of each runner, and no others.
is<LocalRunner>()(await LocalRunner.start({ ntasks: 4 }))
is<SLURMRunner>()(await SLURMRunner.start({ layout: 'shared', signal: s }))
is<MPIRunner>()(await MPIRunner.start())
// @ts-expect-error -- pyhton
await LocalRunner.start({ ntasks: 4, layout: 'shared', pyhton: 'x' })
// @ts-expect-error -- only LocalRunner starts processes
await SLURMRunner.start({ ntasks: 4 })
// @ts-expect-error -- grace is a length of time
await MPIRunner.start({ grace: 'soon' })
const options: RunnerOptions = {}
await LocalRunner.start(options)

// A runner of one's own, with an option of its own.
interface Mine extends RunnerOptions {
  readonly mine: number
}
class Own extends BaseRunner {
  readonly mine: number
  constructor({ mine, ...others }: Mine) {
    super(others)
    this.mine = mine
  }
  protected override identify(): never {
    throw new Error('not run')
  }
  protected override rendezvous(run: RunContext): Rendezvous {
    return new FileRendezvous(run, { reaper: this.reaper })
  }
}
is<Own>()(await Own.start({ mine: 1 }))
// @ts-expect-error -- mien
await Own.start({ mien: 1 })
export const every: typeof BaseRunner = BaseRunner
