import { expect, test } from 'vitest'
import { takenFromOutside } from '../../src/client/free-names.ts'

const cases: readonly [string, string[]][] = [
  ['(x) => x + offset', ['offset']],
  ['({ a = first, b: [c], ...d }) => [a, b, c, d]', ['first', 'b']],
  ['function own(n) { return n < 2 ? arguments.length : own(n - 1) }', []],
  ['() => arguments', ['arguments']],
  ['() => { for (const a of list) { try { a() } catch { b } } label: for (;;) break label }', ['list', 'b']],
  [
    '() => { later(); function later() {} var late; late = set = 1; return { late, short, key: 1, [name]: 2 } }',
    ['set', 'short', 'name'],
  ],
  ['function (o) { return o.a.b?.c + new.target + `${inText}` + "notInText" }', ['inText']],
  ['() => class extends Base { #x = y; static z = this.#x; m(a = q) { return a + this.m } }', ['Base', 'y', 'q']],
  ['async () => { const { a } = await import("node:os"); for await (const b of a()) yield_(b) }', ['yield_']],
  ['() => typeof window === "undefined" ? typeof (document) : window.a + navigator', ['navigator']],
  ['() => { const offset = 1; { return offset } }', []],
  ['() => { { let inner = 1; inner } return inner }', ['inner']],
  ['() => $a + typeof $b + a$', ['$a', '$b', 'a$']],
  // A constant of the program: it would be "undefined" elsewhere.
  ['() => typeof k', ['k']],
  ['() => (typeof LIMIT === "number" ? LIMIT : 0)', ['LIMIT']],
  ['() => [typeof Deno, typeof SuppressedError, typeof HTMLElement, typeof __DEV__, typeof require]', []],
  ['this is no expression', []],
]
for (const [text, names] of cases)
  test(`${text} takes ${names.join(', ') || 'nothing'} from outside`, () => {
    expect(takenFromOutside(`(${text})`).names).toEqual(names)
  })

const taking: readonly [string, boolean][] = [
  ['(x) => x * this.scale', true],
  ['(x) => [x].map((y) => ({ [y]: y * this.scale }))', true],
  ['function (x) { return x * this.scale }', true],
  ['Object.values({ method(x) { return this.scale } })[0]', true],
  ['() => class { [this.name] = 1 }', true],
  ['(n) => { function Point(x) { this.x = x } return new Point(n) }', false],
  ['(n) => ({ n, m() { return this.n } }).m()', false],
  ['() => new (class { a = this; static { this.b = 1 } get c() { return () => this.a } })()', false],
  ['() => "this"', false],
]
for (const [text, usesThis] of taking)
  test(`${text} uses ${usesThis ? 'a "this" that it has not' : 'no "this" but its own'}`, () => {
    expect(takenFromOutside(`(${text})`).usesThis).toBe(usesThis)
  })
