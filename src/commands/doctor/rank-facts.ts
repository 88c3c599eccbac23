import * as z from 'zod/mini'
import { pythonSchema } from '../../python/describe-python.ts'
import { portSchema } from '../../record/schemas.ts'
import { findingSchema } from './finding.ts'

/** What rank 0 leaves for the others when it begins: where it listens, as its scheduler or worker would, and for the control channel. */
export const startSchema = z.object({
  listens: z.array(z.object({ what: z.enum(['dask', 'control']), host: z.string(), port: portSchema })),
})
export type Start = z.infer<typeof startSchema>

const answerSchema = z.optional(z.enum(['answers', 'refuses', 'unreachable']))

/** What each other process leaves for rank 0. */
export const rankFactsSchema = z.object({
  rank: z.number(),
  /** Name of its node as the workload manager has it. */
  host: z.string(),
  /** Version of this program. */
  program: z.string(),
  /** The Python of scheduler and workers; null where it could not be asked. */
  python: z.nullable(pythonSchema),
  /** The Python of the client program, in the client's process only. */
  client: z.nullable(z.object({ command: z.array(z.string()), python: z.nullable(pythonSchema) })),
  /** What came of connecting to where rank 0 listens. */
  reach: z.object({ dask: answerSchema, control: answerSchema }),
  /** What each of its workers would get, in words; null where it would host none. */
  gets: z.nullable(z.string()),
  /** What it has found about itself and its host. */
  findings: z.array(findingSchema),
})
export type RankFacts = z.infer<typeof rankFactsSchema>
