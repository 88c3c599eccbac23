/** The same in every process of one run, and different in every other run. */
export interface RunKey {
  /** Name of the workload manager's cluster. */
  readonly cluster: string
  /** The job's id; of an array task its own, not the array's. */
  readonly jobId: string
  readonly stepId: string
  /** How often the workload manager has restarted the job. */
  readonly restart: number
}

/** The run key as one word that can be part of a file name: `sim-7.0-r0`. */
export function formatRunKey(key: RunKey): string {
  const word = `${key.cluster}-${key.jobId}.${key.stepId}-r${key.restart}`
  return word.replace(/[^A-Za-z0-9._-]/g, '_')
}

/** Whether `word` is the key of the same step before the workload manager restarted the job: that run is over. */
export function isEarlierStart(word: string, key: RunKey): boolean {
  const [, start = '', restart = ''] = /^(.*-r)(0|[1-9][0-9]*)$/.exec(word) ?? []
  return `${start}${key.restart}` === formatRunKey(key) && Number(restart) < key.restart
}

/** `path` with `{job_id}`, `{step_id}` and `{restart}` filled in. */
export function fillIn(path: string, key: RunKey): string {
  return path
    .replaceAll('{job_id}', key.jobId)
    .replaceAll('{step_id}', key.stepId)
    .replaceAll('{restart}', String(key.restart))
}
