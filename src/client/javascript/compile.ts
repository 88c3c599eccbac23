import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf } from '../../errors.ts'
import { importForTask } from '../../util/own-process.ts'
import { supplyHelpers } from './helpers.ts'

/** A JavaScript function as the client describes it: its text, or the module that exports it. */
export interface FunctionSpec {
  readonly name: string
  readonly text?: string
  /** The name by which the text may call itself; empty where it has none. */
  readonly own?: string
  /** Names of the values that come after its arguments, and the texts of functions, both of which it uses from outside. */
  readonly scope?: { readonly values: readonly string[]; readonly functions: readonly (readonly [string, string])[] }
  /** Whether a client comes before its arguments. */
  readonly client?: boolean
  /** Whether a task has submitted it. */
  readonly nested?: boolean
  readonly module?: string
  readonly export?: string
}

export type Runnable = (...args: unknown[]) => unknown

/** The function that a specification describes. */
export async function makeFunction(spec: FunctionSpec): Promise<Runnable> {
  return spec.text === undefined ? await importFunction(spec) : compileText(spec, spec.text)
}

/** The function of a text that `functionText` gave. */
export function compileText(spec: FunctionSpec, text: string): Runnable {
  supplyHelpers(text)
  if (spec.scope === undefined) return evaluateText(spec.name, named(spec, text))
  const { values, functions } = spec.scope
  for (const [, helper] of functions) supplyHelpers(helper)
  const declared = functions.map(([name, helper]) => `const ${name} = ${helper};`).join('')
  const make = evaluateText(
    spec.name,
    `(({ ${values.join(', ')} }) => { ${declared} { return ${named(spec, text)} } })`,
  )
  return (...args) => (make(args.at(-1)) as Runnable)(...args.slice(0, -1))
}

/** The text where it may call itself by its name. */
function named({ own = '' }: FunctionSpec, text: string): string {
  return own === '' ? text : `(() => { const ${own} = ${text}; return ${own} })()`
}

function evaluateText(name: string, text: string): Runnable {
  // Indirect: in the global scope, where import() works and nothing of ours can be seen.
  const evaluate = eval
  return evaluate(`'use strict';${text}\n//# sourceURL=dask:${name}`) as Runnable
}

async function importFunction({ module = '', export: name = 'default' }: FunctionSpec): Promise<Runnable> {
  const place = isAbsolute(module) ? pathToFileURL(module).href : module
  let exports: Readonly<Record<string, unknown>>
  try {
    exports = await importForTask(place)
  } catch (cause) {
    const next = /\.[cm]?tsx?$/.test(place) ? 'Node there may not read TypeScript: name the compiled file' : ''
    throw new Error(`Cannot import "${module}" on this worker: ${messageOf(cause)}${next === '' ? '' : `; ${next}`}`, {
      cause,
    })
  }
  const found = exports[name]
  if (typeof found === 'function') return found as Runnable
  const names = Object.keys(exports).join(', ')
  throw new TypeError(
    `Cannot call "${name}" of "${module}": ${found === undefined ? `it exports ${names}` : 'it is no function'}`,
  )
}
