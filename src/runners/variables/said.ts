import { createHash } from 'node:crypto'
import { type Environment, readWholeNumber } from '../../identity/environment.ts'
import { runIdForm } from '../../options/table.ts'

/** What an option or a variable says, and how people are told of it: `--rank 1`, `RANK=1`. */
export interface Said<T> {
  readonly value: T
  readonly source: string
}

/**
 * The whole number in a variable; undefined where it is missing.
 *
 * @throws RunnerError with `ERR_ENVIRONMENT` where it is no number.
 */
export function numberIn(env: Environment, variable: string): Said<number> | undefined {
  const value = readWholeNumber(env, variable)
  return value === undefined ? undefined : { value, source: `${variable}=${value}` }
}

/** A launcher's own id as a word of a file name: what is none gets a digest, so that two ids stay two. */
export function asWord(id: string): string {
  if (runIdForm.test(id)) return id
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 8)
  return `${id.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 48)}-${digest}`
}
