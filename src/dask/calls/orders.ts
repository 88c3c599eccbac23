import * as z from 'zod/mini'
import type { DaskConnection, AnswerOptions } from '../connection.ts'
import { call } from './call.ts'
import { randomUUID } from 'node:crypto'

/** How workers are retired. */
export interface RetireCallOptions extends AnswerOptions {
  /** Close them too; otherwise they stay, get no more tasks, and are closed by whoever started them. @default true */
  readonly close?: boolean
}

/** Which workers: by their addresses, or by their names. */
export type WorkersToRetire = { readonly addresses: readonly string[] } | { readonly names: readonly string[] }

/**
 * Moves what only these workers hold to the others and closes them:
 * `{op: "retire_workers", workers: [address] | names: [name], close_workers, remove}` ->
 * `{address: {…}}` of those that were retired. Names of digits are numbers to Dask.
 *
 * @returns the addresses of those that were retired.
 */
export async function retireWorkers(
  connection: DaskConnection,
  which: WorkersToRetire,
  { close = true, ...options }: RetireCallOptions = {},
): Promise<readonly string[]> {
  const choice =
    'names' in which
      ? { names: which.names.map((name) => (/^(0|-?[1-9]\d*)$/.test(name) ? Number(name) : name)) }
      : { workers: which.addresses }
  const answer = z.record(z.string(), z.unknown())
  return Object.keys(
    await call(connection, { op: 'retire_workers', ...choice, close_workers: close, remove: close, answer }, options),
  )
}

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

/**
 * Has the scheduler give up a worker that is not heard any more, and run its tasks elsewhere:
 * `{op: "unregister", address, stimulus_id}` -> `"OK"` or `"already-removed"`. The worker is told to close,
 * should it ever hear of it.
 */
export async function unregister(connection: DaskConnection, address: string, options?: AnswerOptions): Promise<void> {
  const stimulus = `dask-hpc-runner-lost-${randomUUID()}`
  await call(connection, { op: 'unregister', address, stimulus_id: stimulus, answer: z.unknown() }, options)
}
