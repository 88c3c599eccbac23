import { RunnerError } from '../errors.ts'

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The value of `name` in `env`; an empty one counts as missing. */
export function readVariable(env: Environment, name: string): string | undefined {
  const value = env[name]
  return value === '' ? undefined : value
}

/**
 * The whole number in the variable `name`, or undefined where it is missing.
 *
 * @throws RunnerError with `ERR_ENVIRONMENT` where it is anything but decimal digits.
 */
export function readWholeNumber(env: Environment, name: string): number | undefined {
  const value = readVariable(env, name)
  if (value === undefined) return undefined
  if (/^[0-9]+$/.test(value) && Number.isSafeInteger(Number(value))) return Number(value)
  throw identityError(`${show(env, name)}, which is not a whole number`, 'check what changed it')
}

/** A variable with its value, for messages: `SLURM_PROCID is "3"`. */
export function show(env: Environment, name: string): string {
  const value = env[name]
  return value === undefined ? `${name} is not set` : `${name} is ${JSON.stringify(value)}`
}

/** The error of an environment that does not tell a process its place; `remedy` is what to do. */
export function identityError(what: string, remedy: string): RunnerError {
  return new RunnerError(`Cannot tell which process of the run this is: ${what}; ${remedy}`, {
    code: 'ERR_ENVIRONMENT',
  })
}
