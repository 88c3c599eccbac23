/** The defaults that the library and the command line share. Durations are in milliseconds. */
export const defaults = {
  /** Where the scheduler file is published; the placeholders are filled in from the run key. */
  schedulerFile: 'scheduler-{job_id}.{step_id}.json',
  layout: 'exclusive',
  identity: 'auto',
  watch: 'auto',
  /** How long a process waits for the others of its run to come together. */
  rendezvousTimeout: 300_000,
  /** How long the filesystem of the scheduler file may take for one step of a run. */
  filesystemTimeout: 25_000,
  /** How long the workers may take that the client program waits for. */
  workersTimeout: 300_000,
  /** Silence of a process after which it counts as lost. */
  lostAfter: 20_000,
  minWorkers: 1,
  /** How often a worker is started again that has crashed. */
  workerRestarts: 3,
  /** How long `wait` waits, and `status --follow` for an answer. */
  waitTimeout: 300_000,
  /** How long a cluster may take to end once `stop` has told it to: the grace of a run, and more. */
  stopTimeout: 60_000,
  /** From the signal that ends a run to the end of its last process. */
  grace: 20_000,
  /** Between two looks into the run's directory, for a small job; it grows with the job. */
  pollInterval: 100,
  /** Operations a second that all processes of a job together may ask of the filesystem while they wait. */
  metadataBudget: 200,
  /** How many lines of each child's output are kept for error messages. */
  tailLines: 20,
  /** How long the end of a run waits for processes that have not been seen yet. */
  lateArrival: 15_000,
  /** After so long without a process of another node, a local filesystem counts as this node's own. */
  lonelyAfter: 15_000,
  /** How long a peer may take to accept a connection, or to answer the first message on it. */
  connectTimeout: 3_000,
  /** Between two requests to the scheduler for how many workers run. */
  workersInterval: 100,
  /** How long a Dask peer may take to answer a call. */
  callTimeout: 10_000,
  /** Age at which a claim whose owner cannot be reached any more counts as abandoned. */
  staleClaim: 3_600_000,
  nworkers: 1,
} as const
