import * as z from 'zod/mini'
import type { Share } from './share.ts'

/** One that another process of this program tells. */
export const identitySchema = z.looseObject({
  rank: z.int().check(z.nonnegative()),
  size: z.int().check(z.positive()),
  host: z.string(),
  nodes: z.int().check(z.positive()),
  share: z.custom<Share>((share: unknown) => typeof share === 'object' && share !== null),
  runKey: z.object({ cluster: z.string(), jobId: z.string(), stepId: z.string(), restart: z.int() }),
  source: z.string(),
})
