import { Script } from 'node:vm'
import { messageOf } from '../errors.ts'
import { formatValue } from './check-options.ts'

/**
 * The text of a function, as an expression that workers evaluate.
 *
 * @throws TypeError where it has none: native and bound functions, classes, getters.
 */
export function functionText(callable: (...args: never[]) => unknown): string {
  if (typeof callable !== 'function')
    throw new TypeError(
      `Cannot submit ${typeof callable === 'string' ? JSON.stringify(callable) : formatValue(callable)}: it is no function`,
    )
  const name = nameOf(callable) === '' ? 'the function' : `"${nameOf(callable)}"`
  const text = Function.prototype.toString.call(callable)
  if (/\{\s*\[native code\]\s*\}\s*$/.test(text))
    throw new TypeError(
      `Cannot send ${name}: it is native or bound, and has no text; wrap it: (...args) => Math.max(...args)`,
    )
  if (/^class\b/.test(text)) throw new TypeError(`Cannot send ${name}: it is a class; send a function that makes one`)
  if (/^\[object (Async)?GeneratorFunction\]$/.test(Object.prototype.toString.call(callable)))
    throw new TypeError(`Cannot send ${name}: it is a generator; return an array of what it yields`)
  if (/^(get|set)(\s|\/\*.*?\*\/)+[^\s(=/]/s.test(text))
    throw new TypeError(`Cannot send ${name}: it is a getter or a setter; send a function that does the same`)
  if (/^(async\s*)?\[/.test(text) && nameOf(callable).startsWith('['))
    throw new TypeError(
      `Cannot send ${name}: it is a method whose name is a symbol; send a function that does the same`,
    )
  // A method is no expression outside of its object.
  const forms = [`(${text})`, `(Object.values({${text}})[0])`]
  const problems = forms.map((form) => syntaxProblem(form))
  const form = forms[problems.indexOf(undefined)]
  if (form !== undefined) return form
  throw new TypeError(`Cannot send ${name}: its text cannot stand alone: ${advice(text, problems[0] ?? '')}`)
}

/** The name of a function; empty where somebody has given it one that is no text. */
export function nameOf(callable: (...args: never[]) => unknown): string {
  const { name }: { readonly name: unknown } = callable
  return typeof name === 'string' ? name : ''
}

/** The name by which its text may call itself; empty where no variable may have it, such as `default`. */
export function ownName(callable: (...args: never[]) => unknown): string {
  return isVariable(nameOf(callable)) ? nameOf(callable) : ''
}

/** Whether a variable may have this name. */
export function isVariable(name: string): boolean {
  return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(name) && syntaxProblem(`(${name}) => 0`) === undefined
}

function syntaxProblem(text: string): string | undefined {
  try {
    new Script(`'use strict';${text}`)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

function advice(text: string, problem: string): string {
  if (/\bimport\.meta\b/.test(text)) return 'it uses import.meta; pass what it needs as an argument'
  if (/\bnew\.target\b/.test(text))
    return 'it uses new.target of a function around it; pass what it needs as an argument'
  if (/\b(await\s+)?using\s+[\p{ID_Start}_$]/u.test(text))
    return `it declares a variable with "using", which Node ${process.version} does not know; write try and finally`
  if (/\bsuper\b/.test(text)) return 'it uses super; send a function of its own'
  if (/#\w+/.test(text)) return 'it uses a private field; send a function of its own'
  return problem
}
