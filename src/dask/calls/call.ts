import * as z from 'zod/mini'
import { printable } from '../../util/printable.ts'
import type { DaskConnection, WaitOptions } from '../connection.ts'
import { DaskError } from '../errors.ts'

/**
 * Makes a call and checks the form of its answer.
 *
 * @throws DaskError where the answer does not come, is an exception, or has another form.
 */
export async function call<T extends z.core.$ZodType>(
  connection: DaskConnection,
  { op, answer, ...arguments_ }: { readonly op: string; readonly answer: T; readonly [argument: string]: unknown },
  options: WaitOptions = {},
): Promise<z.infer<T>> {
  const said = await connection.request(op, arguments_, options)
  const parsed = z.safeParse(answer, said)
  if (parsed.success) return parsed.data
  const { address } = connection
  const issue = parsed.error.issues[0]
  const where = issue === undefined || issue.path.length === 0 ? 'it' : `its "${printable(issue.path.join('.'))}"`
  const why = said === null ? 'it does not know this call' : `${where} has another form than Dask's`
  throw new DaskError(`Cannot use the answer of ${address} to "${op}": ${why}`, { reason: 'not-dask', address })
}
