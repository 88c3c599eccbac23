import type { Environment } from './environment.ts'

/** When Slurm ends the job, where its variables say so (23.02 and newer). In milliseconds since 1970. */
export function jobEndOf(env: Environment): number | undefined {
  const seconds = Number(env.SLURM_JOB_END_TIME)
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds * 1000 : undefined
}
