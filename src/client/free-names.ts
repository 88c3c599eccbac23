import { parse } from 'acorn'
import { analyze } from 'eslint-scope'
import { type NestedFunction, nestedFunctions } from './nested-functions.ts'
import { argument, findNodes, isFunction, keepsName, type Node } from './syntax-tree.ts'

/** What an expression takes from outside of it. */
export interface Outside {
  /** Names, in their order, but for those of other places than Node whose `typeof` it asks for: it may do without. */
  readonly names: readonly string[]
  /** Those that a bundler calls to keep the names of functions: `o(() => 1, "one")`. */
  readonly naming: ReadonlySet<string>
  /** Whether it uses `this`, which nobody gives it. */
  readonly usesThis: boolean
  /** Whether it is a method that uses `super`, whose object it loses. */
  readonly usesSuper: boolean
  /** A call of `require` that finds nothing elsewhere, as it is written. */
  readonly requires: string | undefined
  /** The functions that it submits, if it is called with a client. */
  readonly nested: readonly NestedFunction[]
}

const nothing: Outside = {
  names: [],
  naming: new Set(),
  usesThis: false,
  usesSuper: false,
  requires: undefined,
  nested: [],
}

/** What the expression takes from outside; nothing where the syntax is newer than the parser. */
export function takenFromOutside(expression: string): Outside {
  const text = `'use strict';${expression}`
  let program: Node & Parameters<typeof analyze>[0]
  try {
    program = parse(text, { ecmaVersion: 'latest', ranges: true }) as unknown as typeof program
  } catch {
    return nothing
  }
  const scopes = analyze(program, { ecmaVersion: 2022, sourceType: 'script' })
  const names = new Set(scopes.globalScope?.through.map(({ identifier }) => identifier.name))
  const calls = findNodes(program, ({ type }) => type === 'CallExpression')
  const required = calls.find((call) => isCallOf(call, 'require') && !isPackage(argument(call, 0)))
  return {
    names: [...names].filter((name) => !(isOfOtherPlace(name) && asksForType(expression, name))),
    naming: new Set(calls.filter(keepsName).map(({ callee }) => (callee as Node).name as string)),
    usesThis: takesThis(program),
    usesSuper: takesSuper(program),
    requires: required === undefined || !names.has('require') ? undefined : text.slice(required.start, required.end),
    nested: nestedFunctions(program, scopes),
  }
}

/** What browsers, other runtimes and module systems have, in small letters. */
const ofOtherPlaces: ReadonlySet<string> = new Set([
  ...['window', 'document', 'self', 'top', 'parent', 'frames', 'navigator', 'location', 'history', 'screen', 'origin'],
  ...['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'importScripts', 'requestAnimationFrame', 'postMessage'],
  ...['global', 'process', 'require', 'module', 'exports', 'define', 'jest', 'vi', 'describe', 'it', 'test', 'expect'],
])

/** A global that is looked for where it may be missing: of a browser, of a newer Node (`SuppressedError`), or of tools (`__DEV__`). */
function isOfOtherPlace(name: string): boolean {
  return ofOtherPlaces.has(name) || /^(\p{Lu}+\p{Ll}|_)/u.test(name)
}

function asksForType(text: string, name: string): boolean {
  const literal = name.replaceAll('$', String.raw`\$`)
  return new RegExp(String.raw`\btypeof[\s(]+${literal}(?![\p{ID_Continue}$])`, 'u').test(text)
}

/** A function of its own that is no arrow, or a class, has a `this` of its own; but the outermost has none either. */
function takesThis(program: Node): boolean {
  const [outermost] = findNodes(program, isFunction)
  const hasOwn = (node: Node, parent: Node | undefined): boolean =>
    (isFunction(node) && node !== outermost && node.type !== 'ArrowFunctionExpression') ||
    node.type === 'StaticBlock' ||
    (parent?.type === 'PropertyDefinition' && node === parent.value)
  return findNodes(program, ({ type }) => type === 'ThisExpression', hasOwn).length > 0
}

/** A class has a `super` of its own, and so has a method of an object within the outermost function. */
function takesSuper(program: Node): boolean {
  const [outermost] = findNodes(program, isFunction)
  const hasOwn = ({ type, method, kind, value }: Node): boolean =>
    type === 'ClassBody' || (type === 'Property' && (method === true || kind !== 'init') && value !== outermost)
  return findNodes(program, ({ type }) => type === 'Super', hasOwn).length > 0
}

function isCallOf({ callee }: Node, name: string): boolean {
  const { type, name: called } = callee as Node
  return type === 'Identifier' && called === name
}

/** Whether it is written there, and no file beside the function's own. */
function isPackage(name: Node | undefined): boolean {
  return name?.type === 'Literal' && typeof name.value === 'string' && !name.value.startsWith('.')
}
