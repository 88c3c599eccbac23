import { randomUUID } from 'node:crypto'
import * as z from 'zod/mini'
import type { DaskConnection, AnswerOptions } from '../connection.ts'
import { call } from './call.ts'

/**
 * Has the scheduler give up a worker that is not heard any more, and run its tasks elsewhere:
 * `{op: "unregister", address, stimulus_id}` -> `"OK"` or `"already-removed"`. The worker is told to close,
 * should it ever hear of it.
 */
export async function unregister(connection: DaskConnection, address: string, options?: AnswerOptions): Promise<void> {
  const stimulus = `dask-hpc-runner-lost-${randomUUID()}`
  await call(connection, { op: 'unregister', address, stimulus_id: stimulus, answer: z.unknown() }, options)
}
