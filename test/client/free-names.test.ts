import { expect, test } from 'vitest'
import { freeNames } from '../../src/client/free-names.ts'

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
  ['() => $a + typeof $b + a$', ['$a', 'a$']],
  ['this is no expression', []],
]
for (const [text, names] of cases)
  test(`${text} takes ${names.join(', ') || 'nothing'} from outside`, () => {
    expect(freeNames(`(${text})`)).toEqual(names)
  })
