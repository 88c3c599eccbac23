import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf } from '../../errors.ts'
import { importForTask } from '../../util/own-process.ts'
import { supplyHelpers } from './helpers.ts'

/** A JavaScript function as the client describes it: its text, or the module that exports it. */
export interface FunctionSpec {
  readonly name: string
  readonly text?: string
  /** The name by which the text may call itself. */
  readonly own?: string
  readonly module?: string
  readonly export?: string
}

export type Runnable = (...args: unknown[]) => unknown

/** The function that a specification describes. */
export async function makeFunction(spec: FunctionSpec): Promise<Runnable> {
  return spec.text === undefined ? await importFunction(spec) : compileText(spec, spec.text)
}

/** The function of a text that `functionText` gave. */
export function compileText({ name, own = '' }: FunctionSpec, text: string): Runnable {
  supplyHelpers(text)
  const called = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(own)
  const whole = called ? `(() => { const ${own} = ${text}; return ${own} })()` : text
  // Indirect: in the global scope, where import() works and nothing of ours can be seen.
  const evaluate = eval
  try {
    return evaluate(`'use strict';${whole}\n//# sourceURL=dask:${name}`) as Runnable
  } catch (error) {
    // A name that no variable may have, such as `default`.
    if (!called || !(error instanceof SyntaxError)) throw error
    return evaluate(`'use strict';${text}\n//# sourceURL=dask:${name}`) as Runnable
  }
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
