import * as z from 'zod/mini'
import type { DaskConnection, AnswerOptions } from '../connection.ts'
import { call } from './call.ts'

const versionsSchema = z.looseObject({
  host: z.looseObject({ python: z.optional(z.string()) }),
  /** By package; null where it is not installed. */
  packages: z.record(z.string(), z.nullable(z.string())),
})
export type SchedulerVersions = z.infer<typeof versionsSchema>

/** What the scheduler runs on: `{op: "versions"}` -> `{host: {python, OS, …}, packages: {dask, distributed, …}}` */
export async function versions(connection: DaskConnection, options?: AnswerOptions): Promise<SchedulerVersions> {
  return await call(connection, { op: 'versions', answer: versionsSchema }, options)
}
