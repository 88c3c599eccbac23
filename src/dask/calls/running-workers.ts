import * as z from 'zod/mini'
import type { DaskConnection, AnswerOptions } from '../connection.ts'
import { call } from './call.ts'

/**
 * The workers that are registered and take tasks, with their threads, about 30 bytes for each:
 * `{op: "ncores_running"}` -> `{address: nthreads}`
 */
export async function runningWorkers(
  connection: DaskConnection,
  options?: AnswerOptions,
): Promise<ReadonlyMap<string, number>> {
  const answer = z.record(z.string(), z.number())
  return new Map(Object.entries(await call(connection, { op: 'ncores_running', answer }, options)))
}
