import { chooseRunner, type RunnerKind } from './choose-runner.ts'
import type { RunnerOptions } from '../options.ts'

/** Takes this process into the run of the launcher that has started it: see {@link chooseRunner}. */
export async function startRunner(wanted: 'auto' | RunnerKind, options: RunnerOptions): Promise<void> {
  const { kind } = chooseRunner(options.env ?? process.env, wanted)
  if (kind === 'mpi') await (await import('./mpi/mpi-runner.ts')).MPIRunner.start(options)
  else await (await import('./slurm/slurm-runner.ts')).SLURMRunner.start(options)
}
