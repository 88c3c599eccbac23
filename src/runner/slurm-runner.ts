import type { Identity } from '../identity/identity.ts'
import { identifySlurm } from '../identity/slurm.ts'
import type { Context } from './context.ts'
import { FileRunner } from './file-runner.ts'

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
export class SLURMRunner extends FileRunner {
  protected override identify({ options }: Context): Identity {
    return identifySlurm(options.env, options)
  }
}
