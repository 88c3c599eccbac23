import * as z from 'zod/mini'

const portSchema = z.int().check(z.gte(0), z.lte(65_535))

/**
 * Who runs a cluster and where process 0 of it answers. Stands in the claim beside a scheduler file
 * and, with more, in the file itself.
 */
export const ownerSchema = z.looseObject({
  /** Version of this record's form. */
  version: z.literal(1),
  run_key: z.string(),
  /** Drawn anew by each start of process 0. */
  nonce: z.string(),
  host: z.string(),
  pid: z.int().check(z.gte(0)),
  /** Where the control channel listens. */
  control: z.looseObject({
    /** Addresses of process 0's host, without port; loopback only in a run of one host. */
    addresses: z.array(z.string()),
    port: portSchema,
    /** Where beats come from while the loop of process 0 runs the user's code. */
    pulse: z.optional(portSchema),
    /** Tells whether two processes share a loopback interface: kernel boot id and network namespace. */
    network: z.string(),
  }),
})
export type Owner = z.infer<typeof ownerSchema>
