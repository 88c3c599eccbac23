import type { Identity } from '../../identity/identity.ts'
import type { Context, RunContext } from '../../identity/run-context.ts'
import { identifySlurm } from './identify-slurm.ts'
import { FileRendezvous } from '../../rendezvous/file/file-rendezvous.ts'
import { BaseRunner } from '../../run/base-runner.ts'
import type { WorkloadManager } from '../../run/workload-manager.ts'
import { jobOfSlurm } from './slurm-job-end.ts'
import { isFarFromRank0, SlurmStep } from './slurm-step.ts'

/**
 * A runner for the tasks of a Slurm step: every task started by `srun` runs the same program.
 *
 * @example
 * ```ts
 * await using runner = await SLURMRunner.start({ schedulerFile: 'scheduler-{job_id}.json' })
 * // Only the client process gets here.
 * console.log(`${runner.nWorkers} workers at ${runner.schedulerAddress}`)
 * ```
 */
export class SLURMRunner extends BaseRunner {
  protected override identify({ options }: Context): Identity {
    return identifySlurm(options.env, options)
  }

  protected override rendezvous(run: RunContext): FileRendezvous {
    return new FileRendezvous(run, { reaper: this.reaper, isFarFromRank0: isFarFromRank0(run) })
  }

  protected override workloadManager(run: RunContext): WorkloadManager {
    return { ...jobOfSlurm(run.options.env), step: new SlurmStep(run) }
  }
}
