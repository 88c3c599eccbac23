/* eslint @typescript-eslint/no-unnecessary-type-parameters: off, @typescript-eslint/require-await: off, @typescript-eslint/consistent-type-definitions: off,
  @typescript-eslint/no-unused-vars: off, @typescript-eslint/no-explicit-any: off, @typescript-eslint/no-meaningless-void-operator: off,
  @typescript-eslint/ban-ts-comment: off -- these are types as people write them */
// What has to compile, and what must not, for whoever uses the library: compiled with the project, and by the oldest and the
// newest TypeScript against the packed package (test/cluster/consumer.test.ts). Nothing here is run.
import {
  BaseRunner,
  type Client,
  type Duration,
  exported,
  FileRunner,
  type Future,
  LocalRunner,
  MPIRunner,
  type NDArray,
  py,
  type RemoteFunction,
  type RunnerOptions,
  SLURMRunner,
  type SubmitOptions,
  type WaitOptions,
} from 'dask-hpc-runner'

// A check of one type against another: is<Wanted>()(value).
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function is<A>() {
  return <B>(_b: B, ..._e: Equal<A, B> extends true ? [] : [never]): void => undefined
}
declare const client: Client
declare const fn: Future<number>
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
// run: the same.
is<Promise<Readonly<Record<string, number>>>>()(client.run((x: number) => x, [1], { workers: [1] }))
is<Promise<Readonly<Record<string, number>>>>()(client.run(() => 3, undefined, { workers: [1] }))
is<Promise<number>>()(client.runOnScheduler(py<number>`lambda: 3`))
// @ts-expect-error -- another type, or too few
void client.run((x: number) => x + 1)
// @ts-expect-error -- another type, or too few
void client.run((x: number) => x + 1, undefined, { onError: 'return' })
// @ts-expect-error -- another type, or too few
void client.runOnScheduler((x: number) => x + 1)
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
class Own extends FileRunner {
  readonly mine: number
  constructor({ mine, ...others }: Mine) {
    super(others)
    this.mine = mine
  }
  protected override identify(): never {
    throw new Error('not run')
  }
}
is<Own>()(await Own.start({ mine: 1 }))
// @ts-expect-error -- mien
await Own.start({ mien: 1 })
export const every: typeof BaseRunner = BaseRunner
