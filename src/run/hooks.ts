import type { Identity } from '../identity/identity.ts'
import type { Role } from '../identity/roles.ts'
import type { Context, RunContext } from '../identity/run-context.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import type { Rendezvous } from '../rendezvous/rendezvous.ts'
import type { WorkloadManager } from './workload-manager.ts'

/**
 * What differs from one kind of run to another: how a process learns who it is, how the processes meet, and what the
 * workload manager can do. The abstract ones have to be there; the others may be overridden.
 */
export abstract class RunnerHooks {
  /** Who this process is. */
  protected abstract identify(context: Context): Promise<Identity> | Identity
  /** How what rank 0 publishes reaches the others. */
  protected abstract rendezvous(run: RunContext): Rendezvous
  /** The roles of a process. */
  protected abstract getRoles(me: Identity): readonly Role[]
  /** Where this process has the scheduler file: at the path of the options, unless a subclass says otherwise. */
  protected async schedulerFileFor(path: string, _me: Identity): Promise<string> {
    return await Promise.resolve(path)
  }
  /** What knows the job around the run, and may be able to end its step. */
  protected workloadManager(_run: RunContext): WorkloadManager {
    return { jobEnd: async () => await Promise.resolve({ why: 'its runner does not find out' }) }
  }
  /** Whether all processes of the run are on this host, so that nothing has to listen beyond it. */
  protected isOnOneHost(): boolean {
    return false
  }
  /**
   * Called when this process has nothing more to host.
   *
   * @param _told that the other processes have been told of the end
   */
  protected async afterEnd(_run: RunContext, _told: boolean): Promise<void> {
    await Promise.resolve()
  }
  protected async beforeSchedulerStart(_run: RunContext): Promise<void> {
    await Promise.resolve()
  }
  protected async onSchedulerStart(_run: RunContext, _scheduler: SchedulerFile): Promise<void> {
    await Promise.resolve()
  }
  protected async beforeWorkerStart(_run: RunContext): Promise<void> {
    await Promise.resolve()
  }
  /** Called for each worker of this process, when it is running. */
  protected async onWorkerStart(_run: RunContext, _name: string): Promise<void> {
    await Promise.resolve()
  }
  protected async beforeClientStart(_run: RunContext): Promise<void> {
    await Promise.resolve()
  }

  /** The hooks for a run: only a subclass sees them otherwise. */
  protected lend() {
    return {
      identify: this.identify.bind(this),
      rendezvous: this.rendezvous.bind(this),
      getRoles: this.getRoles.bind(this),
      schedulerFileFor: this.schedulerFileFor.bind(this),
      workloadManager: this.workloadManager.bind(this),
      isOnOneHost: this.isOnOneHost.bind(this),
      afterEnd: this.afterEnd.bind(this),
      beforeSchedulerStart: this.beforeSchedulerStart.bind(this),
      onSchedulerStart: this.onSchedulerStart.bind(this),
      beforeWorkerStart: this.beforeWorkerStart.bind(this),
      onWorkerStart: this.onWorkerStart.bind(this),
      beforeClientStart: this.beforeClientStart.bind(this),
    } as const
  }
}

/** The hooks of a runner, for its run. */
export type LentHooks = ReturnType<RunnerHooks['lend']>
