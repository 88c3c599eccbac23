import { type Callable, ClientFunction, RemoteFunction } from './callable.ts'
import { functionText, isVariable, nameOf, ownName } from './function-text.ts'
import type { Outside } from './free-names.ts'
import { formatMissing, formatNaming, formatNested, isOfModule, isSupplied } from './javascript/helpers.ts'

/** Of texts that are made anew without end, not all are kept. */
const mostChecked = 1000

/** Makes of callables what the workers are told of them. */
export class RemoteFunctions {
  readonly #takenFromOutside: (text: string) => Outside
  /** By function, and by what it uses of a scope. */
  readonly #known = new WeakMap<object, Map<string, RemoteFunction>>()
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

  /**
   * @param scope what it may use from outside
   * @throws TypeError where it is a function that cannot be sent, or that uses another name from outside of it.
   */
  of<A extends readonly unknown[], R>(
    callable: Callable<A, R>,
    scope?: Readonly<Record<string, unknown>>,
  ): RemoteFunction<A, R> {
    if (callable instanceof RemoteFunction) {
      // Of a function that has been looked at already.
      if (scope !== undefined && !callable.scoped)
        throw new TypeError(`Cannot use scope with "${callable.name}": ${formatNoScope(callable)}`)
      return callable
    }
    const [written, client] =
      callable instanceof ClientFunction ? [callable.callable, { client: true }] : [callable, undefined]
    const parts = scope === undefined ? undefined : scopeParts(scope)
    const like = JSON.stringify([parts, client])
    const ofFunction = this.#known.get(written) ?? new Map<string, RemoteFunction>()
    const found = ofFunction.get(like)
    if (found !== undefined) return found as RemoteFunction<A, R>
    const text = functionText(written)
    const name = nameOf(written)
    const inScope = parts === undefined ? [] : [...parts.values, ...Object.keys(parts.functions)]
    this.#check(name, text, inScope, client !== undefined)
    const functions = Object.entries(parts?.functions ?? {}).map(([key]): [string, string] => {
      const helper = functionText(scope?.[key] as () => unknown)
      this.#check(key, helper, inScope)
      return [key, helper]
    })
    const spec = {
      text,
      own: ownName(written),
      ...(parts && { scope: { values: parts.values, functions } }),
      ...client,
    }
    const made = new RemoteFunction<A, R>('javascript', name, spec, parts !== undefined)
    this.#known.set(written, ofFunction.set(like, made as unknown as RemoteFunction))
    return made
  }

  #check(own: string, text: string, inScope: readonly string[], hasClient = false): void {
    const checked = `${own} ${inScope.join()} ${String(hasClient)} ${text}`
    if (this.#checked.has(checked)) return
    const [outside, there] = [this.#takenFromOutside(text), [own, ...inScope]]
    const problem = problemOf(outside, there) ?? (hasClient ? nestedProblem(outside, there) : undefined)
    if (problem !== undefined)
      throw new TypeError(`Cannot send ${own === '' ? 'the function' : `"${own}"`}: ${problem}`)
    if (this.#checked.size >= mostChecked) this.#checked.clear()
    this.#checked.add(checked)
  }
}

/** Names of a scope's values, and its functions as they are written. @throws TypeError where a name is none of a variable. */
function scopeParts(scope: Readonly<Record<string, unknown>>): {
  readonly values: readonly string[]
  readonly functions: Readonly<Record<string, string>>
} {
  for (const name of Object.keys(scope))
    if (!isVariable(name))
      throw new TypeError(`Cannot use scope with ${JSON.stringify(name)}: it is no name of a variable`)
  const functions = Object.entries(scope).filter(([, value]) => typeof value === 'function')
  return {
    values: Object.keys(scope).filter((name) => typeof scope[name] !== 'function'),
    functions: Object.fromEntries(functions.map(([name, value]) => [name, String(value)])),
  }
}

function formatNoScope({ language }: RemoteFunction<never>): string {
  return language === 'python'
    ? 'a Python function takes values as py`...${value}...`, or as arguments'
    : 'an exported function has what its module has; pass what it needs as arguments'
}

/** Why a function cannot run elsewhere, and what to do. */
function problemOf(
  { names, naming, usesThis, usesSuper, requires }: Outside,
  there: readonly string[],
): string | undefined {
  const missing = names.find(
    (name) => !there.includes(name) && (isOfModule(name) || !(name in globalThis || isSupplied(name))),
  )
  if (missing !== undefined) return naming.has(missing) ? formatNaming(missing) : formatMissing(missing)
  if (usesThis) return formatMissing('this')
  if (usesSuper) return 'it uses "super", the object of which no worker has; send a function that does without'
  if (requires !== undefined)
    return (
      `it calls ${requires}, which a worker would look for in a directory of its own; ` +
      'export the function from a module and name it by exported()'
    )
  return undefined
}

/** Why a function that it submits cannot run elsewhere: that one has not even what its own function has. */
function nestedProblem({ nested }: Outside, there: readonly string[]): string | undefined {
  for (const { name, captured, outside } of nested) {
    const missing = captured[0] ?? outside.find((one) => there.includes(one))
    if (missing !== undefined) return formatNested(name, missing)
  }
  return undefined
}
