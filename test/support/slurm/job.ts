/** What `scontrol show job` says of a job, by its own names: `JobState`, `ExitCode`, `StdOut`, `Restarts` and so on. */
export type Job = Readonly<Record<string, string | undefined>>

/** States that a job does not leave any more. */
const ends: ReadonlySet<string> = new Set([
  'BOOT_FAIL',
  'CANCELLED',
  'COMPLETED',
  'DEADLINE',
  'FAILED',
  'NODE_FAIL',
  'OUT_OF_MEMORY',
  'PREEMPTED',
  'TIMEOUT',
])

/** Reads what `scontrol --oneliner show job` prints: one line for each job, fields with spaces between them. */
export function parseJobs(text: string): Job[] {
  const lines = text.split('\n').filter((line) => line.startsWith('JobId='))
  return lines.map((line) => {
    // Values contain spaces, so a field ends where the next one begins.
    const fields = line.split(/ (?=[A-Z][\w:/]*=)/)
    return Object.fromEntries(
      fields.map((field) => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)]),
    )
  })
}

/** Whether a job has ended, whichever way. */
export function isOver({ JobState }: Job): boolean {
  return ends.has(JobState ?? '')
}
