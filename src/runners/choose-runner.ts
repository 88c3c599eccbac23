import { type Environment, readVariable, show } from '../identity/environment.ts'
import type { runnerKinds } from '../options/names.ts'
import { findLauncherVariable } from './launchers.ts'
import type { RunnerOptions } from '../options.ts'

/** Which of the runners takes part. */
export type RunnerKind = (typeof runnerKinds)[number]

/** A runner, and why it is that one. */
export interface ChosenRunner {
  readonly kind: RunnerKind
  /** Completes the sentence "It is this one, because". */
  readonly why: string
}

/** The runner that `wanted` names; for `auto` that of the launcher which has started this process. */
export function chooseRunner(env: Environment, wanted: 'auto' | RunnerKind): ChosenRunner {
  if (wanted !== 'auto') return { kind: wanted, why: `--runner ${wanted} says so` }
  const variable = findLauncherVariable(env)
  if (variable !== undefined)
    return { kind: 'mpi', why: `${show(env, variable)}, so an MPI launcher started this process` }
  const step = ['SLURM_STEP_ID', 'SLURM_STEPID'].find((name) => readVariable(env, name) !== undefined)
  if (step === undefined) return { kind: 'slurm', why: 'no MPI launcher has left its variables' }
  return { kind: 'slurm', why: `${show(env, step)}, so srun started this process` }
}

const starts: Readonly<Record<RunnerKind, (options: RunnerOptions) => Promise<unknown>>> = {
  slurm: async (options) => await (await import('./slurm/slurm-runner.ts')).SLURMRunner.start(options),
  mpi: async (options) => await (await import('./mpi/mpi-runner.ts')).MPIRunner.start(options),
}

/** Takes this process into the run of the launcher that has started it: see {@link chooseRunner}. */
export async function startRunner(wanted: 'auto' | RunnerKind, options: RunnerOptions): Promise<void> {
  const { kind } = chooseRunner(options.env ?? process.env, wanted)
  await starts[kind](options)
}
