import { runTable } from './options/table.ts'
import { milliseconds } from './util/duration.ts'

const { rendezvousTimeout, filesystemTimeout, lostAfter, metadataBudget } = runTable

/** What is no option, and the defaults of options where there are none to be had. Durations are in milliseconds. */
export const defaults = {
  /** How long a process waits for the others of its run to come together. */
  rendezvousTimeout: milliseconds(rendezvousTimeout.default),
  /** How long the filesystem of the scheduler file may take for one step of a run. */
  filesystemTimeout: milliseconds(filesystemTimeout.default),
  /** Silence of a process after which it counts as lost. */
  lostAfter: milliseconds(lostAfter.default),
  /** Operations a second that all processes of a job together may ask of the filesystem while they wait. */
  metadataBudget: metadataBudget.default as number,
  /** Between two looks into the run's directory, for a small job; it grows with the job. */
  pollInterval: 100,
  /** How many lines of each child's output are kept for error messages. */
  tailLines: 20,
  /** How long the end of a run waits for processes that have not been seen yet. */
  lateArrival: 15_000,
  /** After so long without a process of another node, a local filesystem counts as this node's own. */
  notSharedAfterMs: 15_000,
  /** How long a peer may take to accept a connection, or to answer the first message on it. */
  connectTimeout: 3_000,
  /** How long a Dask peer may take to answer a call. */
  callTimeout: 10_000,
} as const
