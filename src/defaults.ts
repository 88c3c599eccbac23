/** The defaults that the library and the command line share. Durations are in milliseconds. */
export const defaults = {
  /** Where the scheduler file is published; the placeholders are filled in from the run key. */
  schedulerFile: 'scheduler-{job_id}.{step_id}.json',
  layout: 'exclusive',
  identity: 'auto',
  watch: 'auto',
  /** How long a process waits for the others of its run to come together. */
  rendezvousTimeout: 300_000,
  /** From the signal that ends a run to the end of its last process. */
  grace: 20_000,
  /** Between two looks into the run's directory, for a small job; it grows with the job. */
  pollInterval: 100,
  /** How many lines of each child's output are kept for error messages. */
  tailLines: 20,
  /** How long the end of a run waits for processes that have not been seen yet. */
  lateArrival: 15_000,
  /** After so long without a process of another node, a local filesystem counts as this node's own. */
  lonelyAfter: 15_000,
  /** How long a peer may take to accept a connection, or to answer the first message on it. */
  connectTimeout: 3_000,
  /** Age at which a claim whose owner cannot be reached any more counts as abandoned. */
  staleClaim: 3_600_000,
  nworkers: 1,
} as const
