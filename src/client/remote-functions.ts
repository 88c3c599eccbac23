import { type Callable, RemoteFunction } from './callable.ts'
import { functionText } from './function-text.ts'
import type { Outside } from './free-names.ts'
import { isOfModule, isSupplied, sayMissing, sayNaming } from './javascript/helpers.ts'

/** Makes of callables what the workers are told of them. */
export class RemoteFunctions {
  readonly #takenFromOutside: (text: string) => Outside
  readonly #known = new WeakMap<object, RemoteFunction>()
  /** Texts that can stand alone, with the name by which each calls itself: closures made anew share one. */
  readonly #checked = new Set<string>()

  private constructor(takenFromOutside: (text: string) => Outside) {
    this.#takenFromOutside = takenFromOutside
  }

  /** The parser is evaluated here, so that only programs with a client pay for it. */
  static async load(): Promise<RemoteFunctions> {
    const { takenFromOutside } = await import('./free-names.ts')
    return new RemoteFunctions(takenFromOutside)
  }

  /** @throws TypeError where it is a function that cannot be sent, or that uses a name from outside of it. */
  of<A extends readonly unknown[], R>(callable: Callable<A, R>): RemoteFunction<A, R> {
    if (callable instanceof RemoteFunction) return callable
    const found = this.#known.get(callable)
    if (found !== undefined) return found as RemoteFunction<A, R>
    const text = functionText(callable)
    this.#check(callable.name, text)
    const made = new RemoteFunction<A, R>('javascript', callable.name, { text, own: callable.name })
    this.#known.set(callable, made as unknown as RemoteFunction)
    return made
  }

  #check(own: string, text: string): void {
    const checked = `${own} ${text}`
    if (this.#checked.has(checked)) return
    const problem = problemOf(this.#takenFromOutside(text), own)
    if (problem !== undefined)
      throw new TypeError(`Cannot send ${own === '' ? 'the function' : `"${own}"`}: ${problem}`)
    this.#checked.add(checked)
  }
}

/** Why a function cannot run elsewhere, and what to do. */
function problemOf({ names, naming, usesThis, requires }: Outside, own: string): string | undefined {
  const missing = names.find((name) => name !== own && (isOfModule(name) || !(name in globalThis || isSupplied(name))))
  if (missing !== undefined) return naming.has(missing) ? sayNaming(missing) : sayMissing(missing)
  if (usesThis) return sayMissing('this')
  if (requires !== undefined)
    return (
      `it calls ${requires}, which a worker would look for in a directory of its own; ` +
      'export the function from a module and name it by exported()'
    )
  return undefined
}
