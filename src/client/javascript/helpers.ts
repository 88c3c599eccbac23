/**
 * Names that compilers write into the text of functions, and that mean little more than what stands
 * there: esbuild (tsx, vitest) and the TypeScript compiler for older targets.
 */
const helpers: Readonly<Record<string, unknown>> = {
  __name: (target: unknown) => target,
  __vite_ssr_dynamic_import__: (module: string) => import(module),
  __spreadValues: (target: object, source: object) => Object.assign(target, source),
  __spreadProps: (target: object, source: object) =>
    Object.defineProperties(target, Object.getOwnPropertyDescriptors(source)),
  __assign: (target: object, ...sources: object[]): unknown => Object.assign(target, ...sources),
  __objRest: rest,
  __rest: rest,
  __pow: (base: number, exponent: number) => base ** exponent,
}

function rest(source: object, excluded: readonly string[]): object {
  return Object.fromEntries(Object.entries(source).filter(([key]) => !excluded.includes(key)))
}

/** Has the helpers that `text` names at hand, and counters where it counts its own coverage. */
export function supplyHelpers(text: string): void {
  const known = globalThis as Record<string, unknown>
  for (const [name, helper] of Object.entries(helpers)) if (text.includes(name)) known[name] ??= helper
  for (const [name] of text.matchAll(/\bcov_\w+/g)) known[name] ??= () => counters
}

/** Takes every count: `cov_1().s[3]++`. */
const counters: object = new Proxy(
  {},
  { get: (_, key) => (key === Symbol.toPrimitive ? () => 0 : counters), set: () => true },
)

/** What every CommonJS module has of its own; it must not find that of the program which runs it. */
export function isOfModule(name: string): boolean {
  return name === '__dirname' || name === '__filename'
}

/** Whether a function finds `name` on the workers, other than as one of Node's globals. */
export function isSupplied(name: string): boolean {
  // `require`: that of `node -e`, by which the process has begun; `NDArray`: node-program.ts has put it there.
  return Object.hasOwn(helpers, name) || /^cov_\w+$/.test(name) || name === 'require' || name === 'NDArray'
}

const byExported = 'export the function from a module and name it by exported()'

/** What is wrong with a function that uses the name `missing` from outside, and what to do. */
export function formatMissing(missing: string): string {
  if (missing === 'this')
    return `it uses "this", which no worker has; pass what it needs of it as an argument, or ${byExported}`
  if (missing === 'arguments')
    return 'it uses the "arguments" of a function around it; take your own, as in (...args) => args.length'
  if (isOfModule(missing))
    return `it uses "${missing}" of its module, which no worker has; pass the path as an argument, or ${byExported}`
  if (/^__(vite_ssr_import|vi_import)/.test(missing))
    return missing.includes('meta')
      ? 'it uses import.meta of its module; pass what it needs as an argument'
      : `it uses something that its module imports (${missing}); ` +
          `import it inside: const { x } = await import(...), or ${byExported}`
  if (/^_{1,2}(using|callDispose|addDisposableResource|disposeResources)/i.test(missing))
    return (
      `it declares a variable with "using", for which its compiler has put "${missing}" into it, which is not there; ` +
      `write try and finally instead, or ${byExported}`
    )
  if (/^__name\d*$/.test(missing)) return formatNaming(missing)
  if (missing.startsWith('__') || missing.startsWith('_ts'))
    return (
      `its compiler has put "${missing}" into it, which is not there; ` +
      `compile for a newer target (es2022), or ${byExported}`
    )
  return `it uses "${missing}", which is defined outside of it; ${formatHowToPass(missing)}, or ${byExported}`
}

/** A class or an enum is written so, and has no form that can be sent. */
function formatHowToPass(name: string): string {
  return /^\p{Lu}.*\p{Ll}/u.test(name)
    ? 'pass it as an argument (of an enum its values), define it inside'
    : `pass it as an argument, or by the option scope: { ${name} }`
}

/** The same of a helper that keeps the names of functions. */
export function formatNaming(missing: string): string {
  return (
    `its compiler has put "${missing}" into it to keep the names of functions, which is not there; ` +
    `compile without keepNames (--keep-names), or ${byExported}`
  )
}

/** The same of a function that a task submits. */
export function formatNested(name: string, missing: string): string {
  const which = name === '' ? 'it submits a function that' : `it submits "${name}", which`
  return `${which} uses "${missing}" of the function around it; ${passToNested}`
}

const passToNested = 'a function that a task submits is sent by its text alone: pass what it needs as an argument'

/** What is known of a function that failed. */
interface ExplainedFunction {
  readonly name: string
  readonly text?: string
  /** Whether a task has submitted it. */
  readonly nested?: boolean
}

/** An error that says more of why a function failed, where that is known; undefined for any other. */
export function explain(error: unknown, spec: ExplainedFunction | undefined): Error | undefined {
  if (!(error instanceof Error) || spec?.text === undefined) return undefined
  const why = explainMissing(error, spec, spec.text) ?? explainGlobal(error, spec.text)
  if (why === undefined) return undefined
  const explained =
    error instanceof ReferenceError
      ? new ReferenceError(why, { cause: error })
      : Object.assign(new TypeError(why), error)
  explained.stack = error.stack?.replace(/^.*/, `${error.name}: ${why}`) ?? why
  return explained
}

/** Why a function did not find a name, where that stands in its own text. */
function explainMissing(error: Error, { name, nested }: ExplainedFunction, text: string): string | undefined {
  if (!(error instanceof ReferenceError)) return undefined
  const missing = /^(\S+) is not defined$/.exec(error.message)?.[1]
  if (missing === undefined || missing in globalThis || !text.includes(missing)) return undefined
  const why =
    nested === true ? `it uses "${missing}", which is defined outside of it; ${passToNested}` : formatMissing(missing)
  return `Cannot run "${name}" on a worker: ${why}`
}

/** Why a global is not what a function takes it for, where its module may import something of that name. */
function explainGlobal(error: Error, text: string): string | undefined {
  if (!(error instanceof TypeError)) return undefined
  const wrong = /^([\p{ID_Start}_$][\p{ID_Continue}$]*)[\p{ID_Continue}$.]* is not a (function|constructor)$/u
  const timer = /\b(setTimeout|setInterval|setImmediate)\b/
  const isTimer = error.message.startsWith('The "callback" argument must be of type function')
  const name = (isTimer ? timer.exec(text) : wrong.exec(error.message))?.[1]
  if (name === undefined || !(name in globalThis) || !text.includes(name)) return undefined
  return (
    `${error.message}; on a worker "${name}" is Node's own global: ` +
    'if your module imports another one, import that inside of the function, by await import(...)'
  )
}
