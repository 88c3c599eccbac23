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

/** Whether a function finds `name` on the workers, other than as one of Node's globals. */
export function isSupplied(name: string): boolean {
  // `require`: that of `node -e`, by which the process has begun.
  return Object.hasOwn(helpers, name) || /^cov_\w+$/.test(name) || name === 'require'
}

/** What is wrong with a function that uses the name `missing` from outside, and what to do. */
export function sayMissing(missing: string): string {
  if (/^__(vite_ssr_import|vi_import)/.test(missing))
    return missing.includes('meta')
      ? 'it uses import.meta of its module; pass what it needs as an argument'
      : `it uses something that its module imports (${missing}); ` +
          'import it inside: const { x } = await import(...), or export the function and name it by exported()'
  if (missing.startsWith('__') || missing.startsWith('_ts'))
    return (
      `its compiler has put "${missing}" into it, which is not there; ` +
      'compile for a newer target (es2022), or export the function and name it by exported()'
    )
  return (
    `it uses "${missing}", which is defined outside of it; ` +
    'pass it as an argument, or export the function from a module and name it by exported()'
  )
}

/** Why a function did not find a name, where that stands in its own text; undefined for any other error. */
export function explainMissing(error: unknown, text: string | undefined, name: string): string | undefined {
  if (!(error instanceof ReferenceError) || text === undefined) return undefined
  const missing = /^(\S+) is not defined$/.exec(error.message)?.[1]
  if (missing === undefined || missing in globalThis || !text.includes(missing)) return undefined
  return `Cannot run "${name}" on a worker: ${sayMissing(missing)}`
}
