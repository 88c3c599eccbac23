import { runInThisContext } from 'node:vm'
import { expect, test } from 'vitest'
import { RunnerError } from '../../src/errors.ts'
import { functionText, nameOf } from '../../src/client/function-text.ts'
import { compileText } from '../../src/client/javascript/compile.ts'
import { explain, supplyHelpers } from '../../src/client/javascript/helpers.ts'

const object = {
  method(x: number): number {
    return x + 1
  },
  async *generator() {
    yield await Promise.resolve(1)
  },
}

const forms: readonly [string, (x: number) => unknown][] = [
  ['an arrow', (x) => x + 1],
  ['an async arrow', async (x) => (await Promise.resolve(x)) + 1],
  [
    'a function',
    function (x) {
      return x + 1
    },
  ],
  // eslint-disable-next-line @typescript-eslint/unbound-method
  ['a method', object.method],
]
for (const [name, form] of forms)
  test(`${name} runs from its text`, async () => {
    const run = compileText({ name: 'it', own: form.name }, functionText(form))
    expect(await run(1)).toBe(2)
  })

test('what has no text of its own is refused', () => {
  const refused: readonly [unknown, string][] = [
    [Math.max, 'it is native or bound'],
    [forms[0]?.[1].bind(null), 'it is native or bound'],
    [RunnerError, 'it is a class'],
    // eslint-disable-next-line @typescript-eslint/unbound-method
    [object.generator, 'it is a generator'],
    ['math.sqrt', 'it is no function'],
  ]
  for (const [callable, why] of refused) expect(() => functionText(callable as () => unknown)).toThrow(why)
})

test('names that compilers put into functions are supplied', () => {
  const compiled = `(x) => { const f = __name(() => x, "f"); return __spreadProps(__spreadValues({}, { a: f() }), { b: (cov_1x().s[3]++, 2) }) }`
  supplyHelpers(compiled)
  expect(compileText({ name: 'it' }, compiled)(1)).toEqual({ a: 1, b: 2 })
})

test('a missing name is explained, where it stands in the function', () => {
  const error = new ReferenceError('offset is not defined')
  const words = 'Cannot run "f" on a worker: it uses "offset", which is defined outside of it'
  expect(explain(error, { name: 'f', text: '(x) => x + offset' })?.message).toContain(words)
  const nested = explain(error, { name: 'f', text: '(x) => x + offset', nested: true })
  expect(nested?.message).toBe(
    `${words}; a function that a task submits is sent by its text alone: pass what it needs as an argument`,
  )
  expect(explain(error, { name: 'f', text: '(x) => x' })).toBeUndefined()
  expect(explain(error, undefined)).toBeUndefined()
  expect(explain(new TypeError('offset is not defined'), { name: 'f', text: '(x) => x + offset' })).toBeUndefined()
  const helper = new ReferenceError('__using is not defined')
  expect(explain(helper, { name: 'f', text: '() => __using()' })?.message).toContain(
    'its compiler has put "__using" into it',
  )
})

/** What a function of this text throws, and what is said about it. */
async function explained(text: string): Promise<string | undefined> {
  try {
    await compileText({ name: 'it' }, text)()
  } catch (error) {
    const why = explain(error, { name: 'it', text })
    if (why !== undefined) expect(why).toBeInstanceOf(TypeError)
    return why?.message
  }
  throw new Error('it has not failed')
}

test("a global that is not what the function's module imports under its name is explained", async () => {
  const hint = /; on a worker "(\w+)" is Node's own global: if your module imports another one, import that inside/
  expect(hint.exec((await explained('() => crypto.createHashes("sha256")')) ?? '')?.[1]).toBe('crypto')
  expect(hint.exec((await explained('async () => await setTimeout(100)')) ?? '')?.[1]).toBe('setTimeout')
  expect(await explained('(x) => x.crypto()')).toBeUndefined()
  expect(await explained('() => { const f = 1; f() }')).toBeUndefined()
})

test('what a text cannot have alone is named, with what to do', () => {
  class Point extends Object {
    readonly arrow = (): unknown => super.valueOf()
    readonly scale = 2
  }
  expect(() => functionText(new Point().arrow)).toThrow('it uses super; send a function of its own')
  const target = function (): () => unknown {
    return () => new.target
  }
  expect(() => functionText(target())).toThrow('it uses new.target of a function around it; pass what it needs')
})

test('getters, setters, generators of any spelling and methods named by a symbol are refused', () => {
  const made = (text: string): (() => unknown) => runInThisContext(`(${text})`) as () => unknown
  const accessor = Object.getOwnPropertyDescriptor(made('{ get x() { return 1 }, set x(v) {} }'), 'x')
  for (const name of ['get', 'set'] as const)
    // eslint-disable-next-line @typescript-eslint/unbound-method -- its text is what counts
    expect(() => functionText(accessor?.[name] as () => unknown)).toThrow(
      'it is a getter or a setter; send a function that does the',
    )
  for (const text of ['async /* c */ * m() {}', '*[Symbol.iterator]() {}', 'm: function /* c */ * () {}'])
    expect(() => functionText(made(`Reflect.ownKeys({ ${text} }).map((key) => ({ ${text} })[key])[0]`))).toThrow(
      'it is a generator; return an array of what it yields',
    )
  expect(() => functionText(made('{ [Symbol.iterator]() {} }[Symbol.iterator]'))).toThrow(
    'Cannot send "[Symbol.iterator]": it is a method whose name is a symbol',
  )
  for (const text of ['{ get(x) {} }.get', '{ set(x) {} }.set', '{ ["a" + "b"]() {} }.ab', 'get => get'])
    expect(functionText(made(text))).not.toBe('')
  const renamed = Object.defineProperty(() => 1, 'name', { value: 5 })
  expect(nameOf(renamed)).toBe('')
})
