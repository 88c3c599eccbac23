import * as z from 'zod/mini'
import type { Identity } from '../../identity/identity.ts'
import { identitySchema } from '../../identity/identity-schema.ts'
import type { RunnerOptions } from '../../options.ts'

/** What a process that a `LocalRunner` has started is told on its standard input, as JSON. */
export interface MemberOrders {
  readonly identity: Identity
  /** Looked at once more in the process that gets them. */
  readonly options: RunnerOptions
}

export const memberOrdersSchema = z.object({ identity: identitySchema, options: z.record(z.string(), z.unknown()) })
