import * as z from 'zod/mini'
import type { ClusterRecord, DaskVersions, Owner } from './cluster-record.ts'
import type { Failure, OutcomeRecord } from './outcome-record.ts'
import type { PublishedFile, SchedulerFile } from './scheduler-file.ts'

// What the records are is said at their types, which the library's declarations show: they do without zod.

/** A name, an address, or the like: it is shown to people, and no real one is as long. */
const wordSchema = z.string().check(z.maxLength(1_024))

/** A port, or 0 for none in particular. */
export const portSchema = z.int().check(z.gte(0), z.lte(65_535))

export const versionsSchema = z.object({
  python: wordSchema,
  dask: wordSchema,
  distributed: wordSchema,
}) satisfies z.ZodMiniType<DaskVersions>

export const ownerSchema = z.looseObject({
  version: z.literal(1),
  run_key: wordSchema,
  nonce: wordSchema,
  host: wordSchema,
  pid: z.int().check(z.gte(0)),
  control: z.looseObject({
    addresses: z.array(wordSchema).check(z.maxLength(1_024)),
    port: portSchema,
    heartbeat_port: z.optional(portSchema),
    network: wordSchema,
  }),
}) satisfies z.ZodMiniType<Owner>

export const clusterRecordSchema = z.extend(ownerSchema, {
  secret: wordSchema,
  n_workers: z.int().check(z.gte(0)),
  secure: z.optional(z.boolean()),
  adds_workers: z.optional(z.boolean()),
  end_time: z.optional(z.number()),
  dashboard_prefix: z.optional(wordSchema.check(z.regex(/^(\/[A-Za-z0-9._~-]+)+$/))),
  versions: z.optional(versionsSchema),
}) satisfies z.ZodMiniType<ClusterRecord>

export const schedulerFileSchema = z.looseObject({
  type: z.literal('Scheduler'),
  id: wordSchema,
  address: wordSchema.check(z.regex(/^[a-z][a-z0-9+.-]*:\/\/.+/)),
  services: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
  started: z.optional(z.number()),
  workers: z.optional(z.record(z.string(), z.unknown())),
  dask_hpc_runner: z.optional(clusterRecordSchema),
}) satisfies z.ZodMiniType<SchedulerFile>

export const publishedFileSchema = z.extend(schedulerFileSchema, {
  dask_hpc_runner: clusterRecordSchema,
}) satisfies z.ZodMiniType<PublishedFile>

export const failureSchema = z.looseObject({
  status: z.int().check(z.gte(1), z.lte(255)),
  message: z.string(),
  rank: z.number(),
  role: z.optional(z.string()),
  host: wordSchema,
  last_lines: z.array(z.string()),
  told: z.optional(z.boolean()),
}) satisfies z.ZodMiniType<Failure>

export const outcomeRecordSchema = z.lazy(() =>
  z.looseObject({
    version: z.literal(1),
    run_key: wordSchema,
    failure: z.optional(failureSchema),
    cluster: z.optional(clusterRecordSchema),
    adds_workers: z.optional(z.boolean()),
  }),
) satisfies z.ZodMiniType<OutcomeRecord>

/** What a process leaves that ends before it has joined its run. */
export const earlyExitSchema = z.lazy(() =>
  z.looseObject({
    version: z.literal(1),
    rank: z.int().check(z.gte(0)),
    failure: z.optional(failureSchema),
  }),
)

/** What a text says in JSON, or undefined where it is not of that form. */
export function parseAs<T>(schema: z.ZodMiniType<T>, text: string): T | undefined {
  try {
    const parsed = z.safeParse(schema, JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
