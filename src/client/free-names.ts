import { parse } from 'acorn'
import { analyze } from 'eslint-scope'

/**
 * The names that an expression takes from outside of it, in their order. A name whose `typeof` it asks for is
 * left out: it may do without.
 *
 * @returns none where the syntax is newer than the parser
 */
export function freeNames(expression: string): readonly string[] {
  let program: Parameters<typeof analyze>[0]
  try {
    program = parse(`'use strict';${expression}`, { ecmaVersion: 'latest', ranges: true }) as unknown as typeof program
  } catch {
    return []
  }
  const { globalScope } = analyze(program, { ecmaVersion: 2022, sourceType: 'script' })
  const names = new Set(globalScope?.through.map(({ identifier }) => identifier.name))
  return [...names].filter((name) => !asksForType(expression, name))
}

function asksForType(text: string, name: string): boolean {
  const literal = name.replaceAll('$', String.raw`\$`)
  return new RegExp(String.raw`\btypeof[\s(]+${literal}(?![\p{ID_Continue}$])`, 'u').test(text)
}
