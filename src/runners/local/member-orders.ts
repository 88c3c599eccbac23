import * as z from 'zod/mini'
import type { Identity } from '../../identity/identity.ts'
import type { RunnerOptions } from '../../options.ts'

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

/** What a process that a `LocalRunner` has started is told on its standard input, as JSON. */
export const memberOrdersSchema = z.object({
  identity: z.custom<Identity>(isObject),
  /** Looked at once more in the process that gets them. */
  options: z.custom<RunnerOptions>(isObject),
  /** The variables of a job around the run by which its end is found out; all others are kept from its processes. */
  job: z.record(z.string(), z.string()),
})
export type MemberOrders = z.infer<typeof memberOrdersSchema>
