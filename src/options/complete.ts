import { inspect } from 'node:util'
import * as z from 'zod/mini'
import { printable } from '../util/printable.ts'
import type { Completed, Given, Kind, Row, Rows } from './row.ts'

/** How messages call an option: as the library does, or by the flag or the variable that had its value. */
export type NameOf = (option: string) => string

/**
 * Checks the options of `table` and fills in the defaults.
 *
 * @throws RangeError where a value cannot be used.
 */
export function completeRows<Table extends Rows>(table: Table, given: Given<Table>, nameOf: NameOf): Completed<Table> {
  const values: Readonly<Record<string, unknown>> = given
  const completed: Record<string, unknown> = {}
  for (const [option, row] of Object.entries(table)) {
    const value = values[option] ?? undefined
    if (value !== undefined) completed[option] = checkValue(row.kind, value, nameOf(option))
    else if (row.default !== undefined) completed[option] = valueOfDefault(row, option)
  }
  return completed as Completed<Table>
}

/** What a default stands for. It needs no check, and only a text such as `5m` stands for something else than itself. */
function valueOfDefault({ kind, default: value }: Row, option: string): unknown {
  return typeof value === 'string' && kind.words === undefined ? checkValue(kind, value, option) : value
}

/**
 * What is made of the value of the option that is called `name`.
 *
 * @throws RangeError where it cannot be used.
 */
export function checkValue<Value>({ schema }: Kind<unknown, Value>, value: unknown, name: string): Value {
  const empty = typeof value === 'string' && value.trim() === ''
  const checked = empty ? undefined : z.safeParse(schema as z.ZodMiniType<Value>, value)
  if (checked?.success === true) return checked.data
  const why = checked?.error.issues[0]?.message ?? 'it is empty; leave it out, or give it a value'
  throw new RangeError(`Cannot use ${name} "${shown(value)}": ${why}`)
}

/** The longest value that a message has as it is. */
const longestShown = 100

function shown(value: unknown): string {
  const text = printable(typeof value === 'string' ? value : Array.isArray(value) ? value.join(',') : inspect(value))
  return text.length <= longestShown ? text : `${text.slice(0, longestShown)}…`
}
