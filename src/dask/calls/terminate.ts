import type { DaskConnection, AnswerOptions } from '../connection.ts'

/**
 * Ends the scheduler and with it its workers: `{op: "terminate", reply: false}`, which is answered by
 * the end of the connection.
 *
 * @throws DaskError where the connection is still open after the time.
 */
export async function terminate(connection: DaskConnection, options?: AnswerOptions): Promise<void> {
  connection.send({ op: 'terminate', reply: false })
  await connection.closed(options)
}
