import { type Environment, readVariable } from '../identity/environment.ts'

/** Ranks that only an MPI launcher, or another launcher beside Slurm, gives to its processes. */
const launchersOnly = ['OMPI_COMM_WORLD_RANK', 'MPI_LOCALRANKID', 'FLUX_TASK_RANK'] as const

/**
 * The variable by which an MPI launcher tells this process its rank, or undefined where none did.
 *
 * `srun` sets some of the same variables itself, with `--mpi=pmi2`, `pmix` or `cray_shasta`: these
 * count only where they differ from what the surrounding Slurm step would have said.
 */
export function findLauncherVariable(env: Environment): string | undefined {
  const only = launchersOnly.find((name) => readVariable(env, name) !== undefined && !isSpurs(env, name))
  if (only !== undefined) return only
  const ours = ['PMI_RANK', 'PMIX_RANK', 'PALS_RANKID'] as const
  return ours.find((name) => readVariable(env, name) !== undefined && !isSlurms(env, name))
}

/** The srun of ROCm's Spur sets Open MPI's rank for each of its tasks, too, and nothing that an mpirun adds to it. */
function isSpurs(env: Environment, name: string): boolean {
  if (name !== 'OMPI_COMM_WORLD_RANK' || readVariable(env, name) !== readVariable(env, 'SPUR_PROCID')) return false
  const ofMpirun = ['PMIX_NAMESPACE', 'OMPI_MCA_orte_precondition_transports', 'OMPI_COMM_WORLD_SIZE']
  return ofMpirun.every((variable) => readVariable(env, variable) === undefined)
}

function isSlurms(env: Environment, name: 'PMI_RANK' | 'PMIX_RANK' | 'PALS_RANKID'): boolean {
  const inStep = (readVariable(env, 'SLURM_STEP_ID') ?? readVariable(env, 'SLURM_STEPID')) !== undefined
  if (!inStep || readVariable(env, name) !== readVariable(env, 'SLURM_PROCID')) return false
  switch (name) {
    case 'PMI_RANK': {
      const size = readVariable(env, 'PMI_SIZE')
      const tasks = readVariable(env, 'SLURM_STEP_NUM_TASKS') ?? readVariable(env, 'SLURM_NTASKS')
      return size === undefined || size === tasks
    }
    case 'PMIX_RANK':
      // Slurm's plugin names the namespace slurm.pmix.JOB.STEP; prterun and mpirun name theirs otherwise.
      return (readVariable(env, 'PMIX_NAMESPACE') ?? 'slurm.').startsWith('slurm.')
    case 'PALS_RANKID':
      // Slurm's plugin for Cray's MPI writes JOB.STEP here, where Cray's own launcher has a UUID.
      return /^[0-9]+\.[0-9]+$/.test(readVariable(env, 'PALS_APID') ?? '')
  }
}
