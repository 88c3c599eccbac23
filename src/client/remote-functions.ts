import { type Callable, RemoteFunction } from './callable.ts'
import { functionText } from './function-text.ts'
import { isSupplied, sayMissing } from './javascript/helpers.ts'

/** Makes of callables what the workers are told of them. */
export class RemoteFunctions {
  readonly #freeNames: (text: string) => readonly string[]
  readonly #known = new WeakMap<object, RemoteFunction>()
  /** Texts that can stand alone, with the name by which each calls itself: closures made anew share one. */
  readonly #checked = new Set<string>()

  private constructor(freeNames: (text: string) => readonly string[]) {
    this.#freeNames = freeNames
  }

  /** The parser is evaluated here, so that only programs with a client pay for it. */
  static async load(): Promise<RemoteFunctions> {
    const { freeNames } = await import('./free-names.ts')
    return new RemoteFunctions(freeNames)
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
    const missing = this.#freeNames(text).find((name) => name !== own && !(name in globalThis) && !isSupplied(name))
    if (missing !== undefined)
      throw new TypeError(`Cannot send ${own === '' ? 'the function' : `"${own}"`}: ${sayMissing(missing)}`)
    this.#checked.add(checked)
  }
}
