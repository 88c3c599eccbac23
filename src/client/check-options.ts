import { inspect } from 'node:util'
import { type Duration, parseDuration } from '../util/duration.ts'
import { checkIsObject } from '../util/nearest.ts'
import type { SubmitOptions } from './submit-options.ts'

/** What an option has to be: a TypeError says that it is of another kind, a RangeError that it is too much or too little. */
interface Rule {
  readonly wanted: string
  readonly kind: (value: unknown) => boolean
  readonly range?: (value: never) => boolean
}

const trueOrFalse: Rule = { wanted: 'true or false', kind: (value) => typeof value === 'boolean' }
const fromOne: Rule = {
  wanted: 'a whole number from 1',
  kind: isNumber,
  range: (value: number) => Number.isSafeInteger(value) && value >= 1,
}
const pathOf = (what: string): Rule => ({ wanted: `the path of ${what}`, kind: (value) => typeof value === 'string' })

// Dask checks none of them before its scheduler calculates with it, which then closes the client's connection.
const submitRules: Readonly<Record<keyof SubmitOptions, Rule>> = {
  workers: {
    wanted: 'an array of names or addresses of workers, one at least',
    kind: (value) => Array.isArray(value) && value.every(isWorker),
    range: (value: readonly unknown[]) => value.length > 0,
  },
  allowOtherWorkers: trueOrFalse,
  resources: {
    wanted: 'an object of finite numbers from 0, such as { GPU: 1 }',
    kind: (value) => isObject(value) && Object.values(value).every(isNumber),
    range: (value: Readonly<Record<string, number>>) =>
      Object.entries(value).every(([name, amount]) => isName(name) && Number.isFinite(amount) && amount >= 0),
  },
  retries: {
    wanted: 'a whole number from 0',
    kind: isNumber,
    range: (value: number) => Number.isSafeInteger(value) && value >= 0,
  },
  timeLimit: {
    wanted: 'a length of time above 0, such as 500ms, 30s, 5m or 1h',
    kind: (value) => typeof value === 'number' || typeof value === 'string',
    range: (value: Duration) => (parseDuration(value) ?? 0) > 0,
  },
  priority: { wanted: 'a finite number', kind: isNumber, range: Number.isFinite },
  key: {
    wanted: 'a string that is not empty, and well-formed',
    kind: (value) => typeof value === 'string',
    range: isName,
  },
  pure: trueOrFalse,
  kwargs: { wanted: 'an object of arguments by their names', kind: isObject },
  scope: { wanted: 'an object of values by their names, such as { k }', kind: isObject },
}

/** Those of other calls. */
const rules = {
  ...submitRules,
  signal: { wanted: 'an AbortSignal', kind: (value) => value instanceof AbortSignal },
  timeout: {
    wanted: 'a length of time, such as 500ms, 30s, 5m or 1h',
    kind: (value) => typeof value === 'number' || typeof value === 'string',
    range: (value: Duration) => parseDuration(value) !== undefined,
  },
  broadcast: trueOrFalse,
  withResults: trueOrFalse,
  raiseErrors: trueOrFalse,
  directToWorkers: trueOrFalse,
  python: pathOf('a Python'),
  node: pathOf('Node on the workers'),
  tlsCaFile: pathOf('a file of certificates'),
  tlsCert: pathOf('a certificate'),
  tlsKey: pathOf('a key'),
  env: { wanted: 'an object of variables', kind: isObject },
  concurrency: fromOne,
  n: fromOne,
  nanny: trueOrFalse,
  override: trueOrFalse,
  closeWorkers: trueOrFalse,
  waitForWorkers: trueOrFalse,
  onError: {
    wanted: "'raise', 'return' or 'ignore'",
    kind: (value) => ['raise', 'return', 'ignore'].includes(value as string),
  },
} satisfies Readonly<Record<string, Rule>>

/** Checks the arguments of a call; `undefined` is as good as none. @throws TypeError */
export function checkArguments(args: unknown): void {
  if (args !== undefined && !Array.isArray(args))
    throw new TypeError(`Cannot use arguments ${formatValue(args)}: they have to be an array`)
}

/** Checks the name of a dataset. @throws TypeError */
export function checkName(name: unknown): void {
  if (typeof name !== 'string' || !isName(name))
    throw new TypeError(
      `Cannot use the name ${formatValue(name)}: it has to be a string that is not empty, and well-formed`,
    )
}

export type OptionName = keyof typeof rules

/** Those of every wait. */
export const waitNames: readonly OptionName[] = ['signal', 'timeout']

/**
 * Checks what a task is told beside its arguments, before anything is sent.
 *
 * @throws TypeError or RangeError that names the option, what it is and what it has to be.
 */
export function checkSubmitOptions(options: SubmitOptions): void {
  checkOptions(options, Object.keys(submitRules) as OptionName[])
  if (options.allowOtherWorkers === true && options.workers === undefined)
    throw new RangeError('Cannot use allowOtherWorkers without workers: say which workers it prefers')
}

/**
 * Checks the options of a call, of which it knows those.
 *
 * @param what what is called, as in "Cannot what"
 * @throws as {@link checkSubmitOptions}
 */
export function checkOptions(options: object, known: readonly OptionName[], what?: string): void {
  checkIsObject(options)
  for (const [name, value] of Object.entries(options)) {
    if (!(known as readonly string[]).includes(name)) {
      const list = known.join(', ')
      throw new TypeError(
        what === undefined
          ? `Cannot use the option ${name}: the options of a task are ${list}`
          : `Cannot ${what}: there is no option ${name}; its options are ${list}`,
      )
    }
    checkOption(name as OptionName, value)
  }
}

/** Checks one of them; `undefined` is as good as none. */
export function checkOption(name: OptionName, value: unknown): void {
  if (value === undefined) return
  const { wanted, kind, range = () => true }: Rule = rules[name]
  if (!kind(value)) throw new TypeError(`Cannot use ${name} ${formatValue(value)}: it has to be ${wanted}`)
  if (!range(value as never)) throw new RangeError(`Cannot use ${name} ${formatValue(value)}: it has to be ${wanted}`)
}

/** A value in a message: one line, not too long. */
export function formatValue(value: unknown): string {
  return inspect(value, { depth: 1, compact: true, breakLength: Infinity, maxArrayLength: 8, maxStringLength: 80 })
}

function isWorker(value: unknown): boolean {
  return Number.isSafeInteger(value) || (typeof value === 'string' && isName(value))
}

/** UTF-8 has no form of half of a surrogate pair. */
function isName(value: string): boolean {
  return value !== '' && value.isWellFormed()
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number'
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
