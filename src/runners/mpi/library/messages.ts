import * as z from 'zod/mini'

/** What the helper process is told, a JSON line each. */
export const orderSchema = z.union([
  /** The first. `initialise: false`: only find and open the library, and end. */
  z.object({ order: z.literal('start'), library: z.optional(z.string()), initialise: z.boolean() }),
  /** For rank 0: what all ranks are to receive. */
  z.object({ order: z.literal('broadcast'), text: z.string() }),
  /** End all ranks of the world. */
  z.object({ order: z.literal('abort'), status: z.number() }),
])
export type MpiOrder = z.infer<typeof orderSchema>

/** What the helper process says, a JSON line each, in this order. */
export const mpiReportSchema = z.union([
  /** There is no library to be had; the helper ends. */
  z.object({ report: z.literal('unavailable'), why: z.string() }),
  z.object({ report: z.literal('loaded'), library: z.string(), version: z.string(), family: z.string() }),
  /** All ranks have come. */
  z.object({ report: z.literal('world'), rank: z.number(), size: z.number() }),
  /** What rank 0 has broadcast. */
  z.object({ report: z.literal('received'), text: z.string() }),
  /** Every rank has received it; the library is being left, which blocks. */
  z.object({ report: z.literal('finalizing') }),
  /** The library has been left; the helper ends. */
  z.object({ report: z.literal('finalized') }),
])
export type MpiReport = z.infer<typeof mpiReportSchema>

/** There is no MPI library to be had here; the message says why, and what to do. */
export class NoMpiError extends Error {
  override readonly name = 'NoMpiError'
}
