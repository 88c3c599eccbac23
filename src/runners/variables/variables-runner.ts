import type { Identity } from '../../identity/identity.ts'
import type { Context, RunContext } from '../../identity/run-context.ts'
import { FileRendezvous } from '../../rendezvous/file/file-rendezvous.ts'
import { BaseRunner } from '../../run/base-runner.ts'
import type { WorkloadManager } from '../../run/workload-manager.ts'
import { jobOfSlurm } from '../slurm/slurm-job-end.ts'
import { identifySystem } from './identify-system.ts'
import { identifyVariables } from './identify-variables.ts'
import { endCommandIn, type System } from './systems.ts'

/**
 * A runner for the processes of any launcher that tells each of them its number: the options `rankFrom`, `sizeFrom`
 * and `runIdFrom` name its variables. The processes meet at the scheduler file.
 *
 * @example
 * ```ts
 * await using runner = await VariablesRunner.start({ rankFrom: 'MY_RANK', sizeFrom: 'MY_SIZE', runIdFrom: 'MY_JOB' })
 * // Only the client process gets here.
 * console.log(`${runner.nWorkers} workers at ${runner.schedulerAddress}`)
 * ```
 */
export class VariablesRunner extends BaseRunner {
  protected override identify({ options }: Context): Promise<Identity> | Identity {
    return identifyVariables(options.env, options)
  }

  protected override rendezvous(run: RunContext): FileRendezvous {
    return new FileRendezvous(run, { reaper: this.reaper })
  }

  /** The launcher may have been started in a job of Slurm. */
  protected override workloadManager({ options }: RunContext): WorkloadManager {
    return jobOfSlurm(options.env)
  }
}

/** The same for the processes of a workload manager of the table. */
export function systemRunner(runner: System['runner']): typeof VariablesRunner {
  return class SystemRunner extends VariablesRunner {
    protected override async identify({ options }: Context): Promise<Identity> {
      return await identifySystem(options.env, { ...options, runner })
    }

    protected override workloadManager(run: RunContext): WorkloadManager {
      return { ...super.workloadManager(run), endCommand: endCommandIn(run.options.env, runner) }
    }
  }
}
