import * as z from 'zod/mini'
import type { DaskConnection, AnswerOptions } from '../connection.ts'
import { call } from './call.ts'

/** Keeps a value at the scheduler: `{op: "set_metadata", keys: [key], value}`. `client.restart()` removes it. */
export async function setMetadata(
  connection: DaskConnection,
  key: string,
  value: unknown,
  options?: AnswerOptions,
): Promise<void> {
  await call(connection, { op: 'set_metadata', keys: [key], value, answer: z.unknown() }, options)
}

/** What was kept under the key, or null: `{op: "get_metadata", keys: [key], default: null}` */
export async function getMetadata(connection: DaskConnection, key: string, options?: AnswerOptions): Promise<unknown> {
  return await call(connection, { op: 'get_metadata', keys: [key], default: null, answer: z.unknown() }, options)
}
