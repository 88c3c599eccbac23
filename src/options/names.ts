import type { Row } from './row.ts'

/** Workload managers that are rows of one table: src/runners/variables/systems.ts. */
export const systemNames = ['spread', 'aws-batch', 'lsf', 'pbs', 'grid-engine', 'oar', 'kubernetes'] as const

/** What `spread` starts ranks on other hosts with. */
export const starterNames = ['oarsh', 'qrsh', 'pbsdsh', 'ssh'] as const

/** The runners that `--runner` names, beside `auto`. */
export const runnerKinds = ['slurm', 'mpi', ...systemNames, 'variables'] as const

/** What the variables of our options begin with. */
export const variablePrefix = 'DASK_HPC_RUNNER_'

/** The flag of an option: `--grace` of `grace`. */
export function flagOf(option: string): string {
  return `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** The variable of an option: `DASK_HPC_RUNNER_LOST_AFTER` of `lostAfter`. */
export function variableOf(option: string, { variable }: Pick<Row, 'variable'> = {}): string {
  return variable ?? variablePrefix + flagOf(option).slice(2).replaceAll('-', '_').toUpperCase()
}

/** Tells the client program of a run how many workers that starts. */
export const workersVariable = `${variablePrefix}N_WORKERS`
