import { hostname } from 'node:os'
import { runInThisContext } from 'node:vm'
import { expect, test } from 'vitest'
import { exported, py, withClient } from '../../src/client/callable.ts'
import { functionText } from '../../src/client/function-text.ts'
import { RemoteFunctions } from '../../src/client/remote-functions.ts'

const functions = await RemoteFunctions.load()

test('a function that uses something from outside is refused, with its name and what to do', () => {
  const offset = Math.random()
  const add = (x: number): number => x + offset
  expect(() => functions.of(add)).toThrow(
    'Cannot send "add": it uses "offset", which is defined outside of it; ' +
      'pass it as an argument, or by the option scope: { offset }, or export the function from a module and name it by exported()',
  )
  // The test runner has put names of its own into these texts.
  expect(() => functions.of(() => hostname())).toThrow(
    'Cannot send the function: it uses something that its module imports',
  )
  expect(() => functions.of(() => import.meta.url)).toThrow('it uses import.meta of its module; pass what it needs')
  const compiled = runInThisContext('() => __using()') as () => unknown
  expect(() => functions.of(compiled)).toThrow('its compiler has put "__using" into it, which is not there')
})

test('what a worker has not is named, with what to do', () => {
  class Scaled {
    readonly scale = 2
    readonly times = (x: number): number => x * this.scale
  }
  const { times } = new Scaled()
  expect(() => functions.of(times)).toThrow(
    'Cannot send "times": it uses "this", which no worker has; pass what it needs of it as an argument, or export',
  )
  const texts = {
    '() => __dirname + "/data"': 'it uses "__dirname" of its module, which no worker has; pass the path as an argument',
    '() => arguments.length': 'it uses the "arguments" of a function around it; take your own, as in (...args)',
    '() => require("./data.json")': 'it calls require("./data.json"), which a worker would look for in a directory',
    '(name) => require(name)': 'it calls require(name), which a worker would look for',
    '() => __callDispose([])': 'it declares a variable with "using", for which its compiler has put "__callDispose"',
    '(c) => c === Colour.Red': 'pass it as an argument (of an enum its values), define it inside, or export',
    '(x) => { const f = o(() => x, "f"); return f() }': 'put "o" into it to keep the names of functions, which is not',
    '{ m() { return super.toString() } }.m': 'it uses "super", the object of which no worker has; send a function',
    '() => __name2(() => 1, "f")': 'compile without keepNames (--keep-names), or export the function',
  }
  for (const [text, why] of Object.entries(texts)) {
    const made = runInThisContext(`(${text})`) as () => unknown
    expect(() => functions.of(made)).toThrow(why)
  }
  // Node defines it for a program on its command line.
  const globals = globalThis as Record<string, unknown>
  globals.__filename = '[eval]'
  try {
    expect(() => functions.of(runInThisContext('() => __filename') as () => unknown)).toThrow('"__filename" of its')
  } finally {
    delete globals.__filename
  }
})

test('what Node has, what compilers write, and its own name are no names from outside', () => {
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1))
  const texts = [
    '() => [Buffer, process, structuredClone, undefined, NaN, globalThis.anything, require("node:os")]',
    '(x) => __name(() => __spreadValues({}, x), (cov_12x().s[0]++, "f"))',
    '() => ({ a() { return super.toString() }, b: class extends Array { c() { return super.d } } })',
    '{ method(x) { return typeof window === "undefined" ? x : window.x } }.method',
  ]
  const all = texts.map((text) => runInThisContext(`(${text})`) as () => unknown)
  for (const one of [factorial, ...all]) expect(functions.of(one as () => unknown).language).toBe('javascript')
})

test('a function is described once, and a remote one is itself', () => {
  const one = (): number => 1
  expect(functions.of(one)).toBe(functions.of(one))
  const remote = py`len`
  expect(functions.of(remote)).toBe(remote)
})

test('what stands in the scope may be used; a name that does not is refused as ever', () => {
  const [k, twice, other] = [2, (x: number): number => 2 * x, 1]
  const f = (x: number): number => twice(x) + k
  const g = (x: number): number => twice(x) + k + other
  const made = functions.of(f, { k, twice })
  expect(functions.of(f, { k: 3, twice })).toBe(made)
  expect(functions.of(f, { k: 3, twice: (x: number) => x + 2 })).not.toBe(made)
  expect(() => functions.of(g, { k, twice })).toThrow(
    'Cannot send "g": it uses "other", which is defined outside of it',
  )
  expect(() => functions.of(f, { k, twice: () => other })).toThrow('Cannot send "twice": it uses "other"')
  expect(() => functions.of(f)).toThrow('by the option scope: { twice }')
  for (const name of ['a b', 'class', 'a}', ''])
    expect(() => functions.of(f, { [name]: 1 })).toThrow(
      `Cannot use scope with ${JSON.stringify(name)}: it is no name of a variable`,
    )
  expect(() => functions.of(py`lambda x: x`, { k })).toThrow('a Python function takes values as py`...${value}...`')
  expect(() => functions.of(exported('/a.js', 'f'), { k })).toThrow(
    'Cannot use scope with "f": an exported function has',
  )
})

test('a function that submits one with a variable around it is refused, where its text shows that', () => {
  const submitting = (text: string, scope?: Readonly<Record<string, unknown>>): (() => unknown) => {
    const made = runInThisContext(`(${text})`) as () => Promise<unknown>
    return () => functions.of(withClient(made), scope)
  }
  const why = (missing: string, what = 'a function that'): string =>
    `it submits ${what} uses "${missing}" of the function around it; a function that a task submits is sent by its text alone: pass what`
  for (const [text, missing, what] of [
    ['(client, k) => client.submit((x) => x * k, [1]).result()', 'k'],
    ['(c) => { const k = 2; return c.gather(c.map((x) => { const y = x; return () => y * k }, [1])) }', 'k'],
    ['(client) => { const k = 2, f = (x) => x < k ? x : f(x - 1); return client.submit(f, [9]) }', 'k', '"f", which'],
    ['(client, k) => { function f() { return k } return (() => client.submit(f))() }', 'k', '"f", which'],
    ['(client, k) => client.submit(__name((x) => x * k, "f"), [1])', 'k'],
    ['(client) => client.submit(() => client.submit(() => 1))', 'client'],
    ['async function sum(client, n) { return client.submit((n) => sum(n), [n]) }', 'sum'],
    ['function f(client) { return client.submit(() => arguments.length) }', 'arguments'],
  ] as const)
    expect(submitting(text)).toThrow(why(missing, what))
  expect(submitting('(client) => client.submit((x) => x * k, [1])', { k: 2 })).toThrow(why('k'))
  for (const text of [
    'async function sum(client, n) { return n < 2 ? n : client.submit(sum, [n - 1]).result() }',
    '(client) => { const f = (x) => (x < 2 ? x : f(x - 1)); return client.submit(f, [process.pid]) }',
    '(client, k) => [1].map((x) => x * k)',
    '(client, k) => { const list = [k]; return list.map((x) => client.submit((y) => y, [x * k])) }',
    '(client, k) => { { const client = [1]; return client.map((x) => x * k) } }',
    '(client, client2) => client2.map((x) => x + client2)',
  ])
    expect(submitting(text)).not.toThrow()
  // Without a client it is an array that has such a method.
  const sum = runInThisContext('((list, k) => list.map((x) => x * k))') as () => unknown
  expect(functions.of(sum).language).toBe('javascript')
})

test('what is no function, no path and no name is refused in a sentence', () => {
  for (const [make, message] of [
    [() => py(5 as never), 'Cannot make a Python function of 5: write py`lambda x: x + 1`'],
    [() => py(null as never), 'Cannot make a Python function of null'],
    [
      () => py.import(5 as never),
      'Cannot use 5 as the path of a Python function: it has to be a text that is not empty',
    ],
    [() => py.file({} as never), 'Cannot use {} as the path of a Python file'],
    [() => py.file('a.py', 5 as never), 'Cannot use 5 as the name of a function'],
    [() => exported(5 as never), 'Cannot use 5 as the URL or path of a module'],
    [() => exported('node:os', null as never), 'Cannot use null as the name of an export'],
    [() => withClient({} as never), 'Cannot give {} a client: it is no function'],
    [() => functionText(Object.create(null) as never), 'Cannot submit [Object: null prototype] {}: it is no function'],
  ] as const)
    expect(make, message).toThrow(message)
})
