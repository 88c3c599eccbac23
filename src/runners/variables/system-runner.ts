import type { Identity } from '../../identity/identity.ts'
import type { Context, RunContext } from '../../identity/run-context.ts'
import type { WorkloadManager } from '../../run/workload-manager.ts'
import { identifySystem } from './identify-system.ts'
import { endCommandIn, type System } from './systems.ts'
import { VariablesRunner } from './variables-runner.ts'

/** The runner of a workload manager of the table. */
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
