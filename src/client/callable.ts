import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Encoder } from '@msgpack/msgpack'
import { messageOf } from '../errors.ts'
import { formatValue } from './check-options.ts'
import type { TaskClient } from './task-client.ts'
import { encodePlain } from './values/plain.ts'

/** A JavaScript function of any form. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what else a function's arguments extend
type AnyFunction = (...args: any[]) => unknown

/** A function on the workers: what {@link py} and {@link exported} give. */
export class RemoteFunction<A extends readonly unknown[] = readonly unknown[], R = unknown> {
  /** The kind of its arguments and of its result: for the compiler only. */
  declare readonly types: (...args: A) => R
  readonly language: 'python' | 'javascript'
  /** Stands in keys and on the dashboard. */
  readonly name: string
  /** What the workers are told, as msgpack: equal for equal functions. @internal */
  readonly spec: Uint8Array

  /** Whether its calls have a scope. @internal */
  readonly scoped: boolean

  /** @internal */
  constructor(language: 'python' | 'javascript', name: string, spec: object, scoped = false) {
    this.language = language
    this.scoped = scoped
    this.name = name.replace(/[^\p{L}\p{N}_]+/gu, '_') || 'anonymous'
    this.spec = new Encoder().encode({ name: this.name, ...spec })
  }
}

/** A JavaScript function that is called with a client of its own: what {@link withClient} gives. */
export class ClientFunction<A extends readonly unknown[] = readonly unknown[], R = unknown> {
  /** The kind of its other arguments and of its result: for the compiler only. */
  declare readonly types: (...args: A) => R
  /** @internal */
  readonly callable: (client: TaskClient, ...args: never) => unknown

  /** @internal */
  constructor(callable: (client: TaskClient, ...args: never) => unknown) {
    this.callable = callable
  }
}

/** What can be submitted: a JavaScript function, a {@link RemoteFunction} or a {@link ClientFunction}. */
export type Callable<A extends readonly unknown[], R> =
  RemoteFunction<A, R> | ClientFunction<A, R> | ((...args: A) => R)

/**
 * A JavaScript function that submits tasks itself, as those do in Dask that use `get_client` and `secede`: it is called with a client
 * before its arguments. While it waits for results, others run in its place; but its Node process stays.
 *
 * @example
 * ```ts
 * const sum = withClient(async (client, n: number) => {
 *   const parts = client.map((x: number) => x * x, Array(n).keys())
 *   return (await client.gather(parts)).reduce((a, b) => a + b, 0)
 * })
 * console.log(await client.submit(sum, [10]).result()) // 285
 * ```
 */
export function withClient<A extends readonly unknown[], R>(
  callable: (client: TaskClient, ...args: A) => R,
): ClientFunction<A, R> {
  if (typeof callable !== 'function')
    throw new TypeError(`Cannot give ${formatValue(callable)} a client: it is no function`)
  return new ClientFunction<A, R>(callable)
}

/** A Python expression that is a function, or the text of one. */
interface Python {
  /**
   * A Python function written in place: an expression such as `lambda x: x + 1`, or a `def` with what it needs
   * before it. `${value}` stands for the value, in the forms that cross to Python, never for text.
   *
   * @example
   * ```ts
   * const sum = await client.submit(py<number>`lambda x: x + ${10}`, [1]).result()
   * ```
   */
  <R = unknown, A extends readonly unknown[] = readonly unknown[]>(
    text: TemplateStringsArray,
    ...values: unknown[]
  ): RemoteFunction<NoInfer<A>, R>
  /**
   * A Python function by its import path, as the workers find it: `math.hypot`, `package.module:Class.method`,
   * or `len`, which is a builtin.
   */
  import<R = unknown, A extends readonly unknown[] = readonly unknown[]>(path: string): RemoteFunction<NoInfer<A>, R>
  /**
   * A Python function of a file that is here: its text is sent, read now. What it imports has to be on the workers.
   *
   * @param path URL or path of the file
   * @param name of the function. @default the last one that the file defines
   */
  file<R = unknown, A extends readonly unknown[] = readonly unknown[]>(
    path: URL | string,
    name?: string,
  ): RemoteFunction<NoInfer<A>, R>
}

function written<R, A extends readonly unknown[]>(
  template: TemplateStringsArray,
  ...values: unknown[]
): RemoteFunction<A, R> {
  const { raw } = (template as Partial<TemplateStringsArray> | null | undefined) ?? {}
  if (!Array.isArray(raw))
    throw new TypeError(`Cannot make a Python function of ${formatValue(template)}: write py\`lambda x: x + 1\``)
  const names = values.map((_, i) => `_value_${i}`)
  const text = (raw as readonly string[]).map((part, i) => part + (names[i] ?? '')).join('')
  const given = encodePlain(Object.fromEntries(names.map((name, i) => [name, values[i]])), 'py')
  const name = /^\s*lambda\b/.test(text) ? 'lambda' : (lastDefinition(text) ?? 'python')
  return new RemoteFunction('python', name, { text, values: given.data, buffers: given.buffers })
}

/** @throws TypeError where it is no text. */
function checkText(value: unknown, what: string): void {
  if (typeof value !== 'string' || value === '')
    throw new TypeError(`Cannot use ${formatValue(value)} as ${what}: it has to be a text that is not empty`)
}

/** The name of the last function that stands on the outermost level. */
function lastDefinition(text: string): string | undefined {
  const found = [...text.matchAll(/^([ \t]*)(?:async\s+)?def\s+(\w+)/gm)]
  const outermost = Math.min(...found.map(([, indent = '']) => indent.length))
  return found.findLast(([, indent = '']) => indent.length === outermost)?.[2]
}

function imported<R, A extends readonly unknown[]>(path: string): RemoteFunction<A, R> {
  checkText(path, 'the path of a Python function')
  if (!/^[\p{L}_][\p{L}\p{N}_.]*(:[\p{L}_][\p{L}\p{N}_.]*)?$/u.test(path))
    throw new TypeError(`Cannot import "${path}": write a path such as math.sqrt or package.module:function`)
  return new RemoteFunction('python', path.split(/[.:]/).at(-1) ?? path, { path })
}

function ofFile<R, A extends readonly unknown[]>(path: URL | string, given?: string): RemoteFunction<A, R> {
  if (!(path instanceof URL)) checkText(path, 'the path of a Python file')
  if (given !== undefined) checkText(given, 'the name of a function')
  const file = path instanceof URL ? fileURLToPath(path) : resolve(path)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new TypeError(`Cannot send the Python file "${file}": ${messageOf(cause)}`, { cause })
  }
  const name = given ?? lastDefinition(text)
  if (name === undefined)
    throw new TypeError(`Cannot send the Python file "${file}": it defines no function on its outermost level`)
  return new RemoteFunction('python', name, { file, text, function: name })
}

/**
 * Python functions, written in place (`` py`lambda x: x + 1` ``), imported (`py.import('math.sqrt')`) or of a file
 * (`py.file('tasks.py')`).
 */
export const py: Python = Object.assign(written, { import: imported, file: ofFile })

/**
 * A JavaScript function that a module file exports. The workers import the file, so they have to see it
 * under the same path; what it imports, they find beside it.
 *
 * @example
 * ```ts
 * import type { area } from './shapes.js'
 * const future = client.submit(exported<typeof area>(new URL('shapes.js', import.meta.url), 'area'), [3, 4])
 * ```
 * @param module URL or absolute path of the file, or the name of a package
 */
export function exported<F extends AnyFunction>(
  module: URL | string,
  name = 'default',
): RemoteFunction<Parameters<F>, ReturnType<F>> {
  if (!(module instanceof URL)) checkText(module, 'the URL or path of a module')
  checkText(name, 'the name of an export')
  const place = module instanceof URL ? module.href : module
  if (/^\.\.?\//.test(place))
    throw new TypeError(
      `Cannot find "${place}" from the workers: write new URL(${JSON.stringify(place)}, import.meta.url)`,
    )
  return new RemoteFunction('javascript', name, { module: place, export: name })
}
