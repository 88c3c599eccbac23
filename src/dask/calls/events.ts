import * as z from 'zod/mini'
import type { DaskConnection, WaitOptions } from '../connection.ts'
import { call } from './call.ts'

/** One entry of a topic's log. */
export interface DaskEvent {
  /** Seconds since 1970, by the scheduler's clock. */
  readonly time: number
  readonly message: unknown
}

/** What was logged under a topic, oldest first: `{op: "events", topic}` -> `[[time, message], …]` */
export async function events(
  connection: DaskConnection,
  topic: string,
  options?: WaitOptions,
): Promise<readonly DaskEvent[]> {
  const answer = z.array(z.tuple([z.number(), z.unknown()]))
  return (await call(connection, { op: 'events', topic, answer }, options)).map(([time, message]) => ({
    time,
    message,
  }))
}

/** Adds to a topic's log: `{op: "log_event", topic, msg}` -> null */
export async function logEvent(
  connection: DaskConnection,
  topic: string,
  message: unknown,
  options?: WaitOptions,
): Promise<void> {
  await call(connection, { op: 'log_event', topic, msg: message, answer: z.unknown() }, options)
}
