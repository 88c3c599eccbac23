import * as z from 'zod/mini'
import type { Identity } from '../../identity/identity.ts'
import type { RunnerOptions } from '../../options.ts'
import type { Share } from '../../identity/share.ts'

/** One that another process of this program tells. */
const identitySchema = z.looseObject({
  rank: z.int().check(z.nonnegative()),
  size: z.int().check(z.positive()),
  host: z.string(),
  nodes: z.int().check(z.positive()),
  share: z.custom<Share>((share: unknown) => typeof share === 'object' && share !== null),
  runKey: z.object({ cluster: z.string(), jobId: z.string(), stepId: z.string(), restart: z.int() }),
  source: z.string(),
})

/** What a process that a `LocalRunner` has started is told on its standard input, as JSON. */
export interface MemberOrders {
  readonly identity: Identity
  /** Looked at once more in the process that gets them. */
  readonly options: RunnerOptions
  /** The variables of a job around the run by which its end is found out; all others are kept from its processes. */
  readonly job: Readonly<Record<string, string>>
}

export const memberOrdersSchema = z.object({
  identity: identitySchema,
  options: z.record(z.string(), z.unknown()),
  job: z.record(z.string(), z.string()),
})
