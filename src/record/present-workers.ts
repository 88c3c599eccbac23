import * as z from 'zod/mini'

/** The workers that a scheduler has, as it is said in messages. */
export const presentWorkersSchema = z.object({
  /** How many run. */
  running: z.number(),
  /** How many there are. */
  count: z.number(),
  /** Which: `0 on 10.0.0.1, 2 on 10.0.0.2 (paused)`, or `none`. */
  words: z.string(),
})
export type PresentWorkers = z.infer<typeof presentWorkersSchema>
