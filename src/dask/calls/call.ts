import * as z from 'zod/mini'
import { printable } from '../../util/printable.ts'
import type { DaskConnection, AnswerOptions } from '../connection.ts'
import { DaskError } from '../errors.ts'

/**
 * Makes a call and checks the form of its answer.
 *
 * @throws DaskError where the answer does not come, is an exception, or has another form.
 */
export async function call<T extends z.core.$ZodType>(
  connection: DaskConnection,
  { op, answer, ...arguments_ }: { readonly op: string; readonly answer: T; readonly [argument: string]: unknown },
  options: AnswerOptions = {},
): Promise<z.infer<T>> {
  return checked(connection, op, answer, await connection.request(op, arguments_, options))
}

/**
 * The answer that was given to a call, where it has the form `answer`.
 *
 * @throws DaskError where it has another form.
 */
export function checked<T extends z.core.$ZodType>(
  { address }: DaskConnection,
  op: string,
  answer: T,
  said: unknown,
): z.infer<T> {
  const parsed = z.safeParse(answer, said)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const where = issue === undefined || issue.path.length === 0 ? 'it' : `its "${printable(issue.path.join('.'))}"`
  const why = said === null ? 'it does not know this call' : `${where} has another form than Dask's`
  throw new DaskError(`Cannot use the answer of ${address} to "${op}": ${why}`, { reason: 'not-dask', address })
}
