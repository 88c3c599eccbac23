import * as z from 'zod/mini'
import { presentWorkersSchema } from '../record/present-workers.ts'
import { endingSignals } from '../util/early-signals.ts'
import { failureSchema, publishedFileSchema, versionsSchema } from '../record/schemas.ts'

/**
 * What is said on the control channel, in JSON, once both ends have proved themselves: see handshake.ts.
 *
 * A process of the run says `hello`, is answered `welcome` or `refused`, and says `here` where it is welcome.
 */

// One end needs the one schema, the other the other: each is made when it is first used.

const endingSignalSchema = z.enum(endingSignals)

/** From a process of the run, or from a command beside it, to rank 0. */
export const toCoordinatorSchema = z.lazy(() =>
  z.discriminatedUnion('type', [
    z.object({
      type: z.literal('hello'),
      rank: z.number(),
      host: z.string(),
      pid: z.number(),
      /** Drawn by each process: tells one that connects again from another one that claims its rank. */
      instance: z.string(),
    }),
    /** The sender has heard that it is welcome: it does not connect again. */
    z.object({ type: z.literal('here') }),
    /** On a second channel of a process whose own loop runs the user's code: it carries heartbeats, and is told of the end. */
    z.object({ type: z.literal('heartbeat-channel'), rank: z.number() }),
    /** From a command beside the run, such as `wait`: tell it of running workers until so many of them run; null: all that the run starts. */
    z.object({ type: z.literal('await-workers'), count: z.nullable(z.number()) }),
    /** Tell the sender which workers there are. */
    z.object({ type: z.literal('list-workers') }),
    /** Give the sender the certificates of the run. */
    z.object({ type: z.literal('get-certificates') }),
    /** End the run. */
    z.object({ type: z.literal('stop') }),
    /** The sender is there. */
    z.object({ type: z.literal('heartbeat') }),
    /** A worker of the sender has started, and registered at `address`. */
    z.object({
      type: z.literal('worker-started'),
      name: z.string(),
      versions: z.optional(versionsSchema),
      address: z.optional(z.string()),
    }),
    /** The client program has ended. */
    z.object({ type: z.literal('ended'), status: z.number() }),
    /** A worker of the sender has ended before its time. */
    z.object({
      type: z.literal('worker-ended'),
      status: z.number(),
      /** The sender starts it again. */
      again: z.boolean(),
      /** It was killed because of its memory. */
      of_memory: z.optional(z.boolean()),
      message: z.string(),
      last_lines: z.array(z.string()),
    }),
    /** The sender cannot go on. */
    z.object({ type: z.literal('failed'), failure: failureSchema }),
    /** A signal came to the sender; `again` where it is the second one. */
    z.object({ type: z.literal('signal'), signal: endingSignalSchema, again: z.boolean() }),
    /** Everything that the sender hosted has ended. */
    z.object({ type: z.literal('done') }),
  ]),
)
export type ToCoordinator = z.infer<typeof toCoordinatorSchema>
export type Hello = Extract<ToCoordinator, { type: 'hello' }>

/** From rank 0 to a process of the run, or to a command beside it. */
export const fromCoordinatorSchema = z.lazy(() =>
  z.discriminatedUnion('type', [
    z.object({ type: z.literal('welcome') }),
    /** `why`: a sentence that continues `Cannot join …:`. */
    z.object({ type: z.literal('refused'), why: z.string() }),
    /** The sender is there. */
    z.object({ type: z.literal('heartbeat') }),
    /** Where the scheduler will listen, or does already: the client program may begin. Dask's clients try for `connect_timeout`. */
    z.object({
      type: z.literal('address'),
      address: z.string(),
      n_workers: z.number(),
      connect_timeout: z.optional(z.string()),
      /** Whether the user's configuration of Dask has a link to the dashboard, where that is known. */
      own_link: z.optional(z.boolean()),
    }),
    /** When the job ends, in seconds since 1970: as soon as that is known, and to whoever joins later. */
    z.object({ type: z.literal('end-time'), end_time: z.number() }),
    /** The cluster is there: its scheduler file, our record in it. */
    z.object({ type: z.literal('cluster'), file: publishedFileSchema }),
    /** The certificates of the run, PEM: to each process as soon as they are there, and to whoever asks. */
    z.object({ type: z.literal('certificates'), ca: z.string(), cert: z.string(), key: z.string() }),
    /** How many workers run, of those that are awaited. */
    z.object({ type: z.literal('workers'), running: z.number(), wanted: z.number() }),
    /** Which workers there are; not sent where the scheduler does not answer. */
    z.extend(presentWorkersSchema, { type: z.literal('present') }),
    /** Every process of the run has come, or has said that it will not: nobody comes late. */
    z.object({ type: z.literal('all-came') }),
    /** Which rank tells the cause if the sender is lost. */
    z.object({ type: z.literal('deputy'), rank: z.number() }),
    /** End the client program: `signal` came to a process of the run. */
    z.object({ type: z.literal('terminate'), signal: endingSignalSchema }),
    /** The run is over. */
    z.object({
      type: z.literal('end'),
      /** Status of the client program, or what stands for it. */
      status: z.number(),
      /** What ended the run, unless the client program itself did. */
      failure: z.optional(failureSchema),
      /** End everything without grace. */
      forced: z.boolean(),
    }),
  ]),
)
export type FromCoordinator = z.infer<typeof fromCoordinatorSchema>
/** Where the scheduler of a run is to be found, before it listens. */
export type ClusterAddress = Omit<Extract<FromCoordinator, { type: 'address' }>, 'type'>
/** How a run ends. */
export type RunResult = Omit<Extract<FromCoordinator, { type: 'end' }>, 'type'>
