import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { RunnerError } from '../../errors.ts'
import type { Identity } from '../../identity/identity.ts'
import { identifyMpi, isUniqueRun, tellsSize } from './identify-mpi.ts'
import type { Context, RunContext } from '../../identity/run-context.ts'
import { formatRunKey } from '../../identity/run-key.ts'
import { chooseLibrary, type LibraryChoice } from './choose-library.ts'
import type { RunnerOptions } from '../../options.ts'
import { FileRendezvous } from '../../rendezvous/file/file-rendezvous.ts'
import type { Rendezvous } from '../../rendezvous/rendezvous.ts'
import { BaseRunner } from '../../run/base-runner.ts'
import type { WorkloadManager } from '../../run/workload-manager.ts'
import { formatDuration } from '../../util/duration.ts'
import { temporaryPlace } from '../../util/temporary-place.ts'
import { deadline } from '../../util/wait.ts'
import { jobOfSlurm } from '../slurm/slurm-job-end.ts'
import { MpiRendezvous } from './mpi-rendezvous.ts'

/**
 * A runner for the ranks that an MPI launcher has started: every one runs the same program. Rank 0
 * broadcasts where it listens, so that no filesystem has to be shared. Where there is no MPI
 * library, or no koffi to call it, the ranks meet at the scheduler file, as under Slurm.
 *
 * @example
 * ```ts
 * await using runner = await MPIRunner.start()
 * // Only the client process gets here.
 * console.log(`${runner.nWorkers} workers at ${runner.schedulerAddress}`)
 * ```
 */
export class MPIRunner extends BaseRunner {
  /** Whether a scheduler file is wanted where others can read it, beside the broadcast. */
  readonly #wantsFile: boolean
  #choice: LibraryChoice | undefined

  /** @throws RangeError where an option is outside of what it takes. */
  constructor(options: RunnerOptions = {}) {
    super(options)
    this.#wantsFile = options.schedulerFile !== undefined
  }

  protected override async identify({ options, signal }: Context): Promise<Identity> {
    const { env, runId, rendezvousTimeout } = options
    const choice = await chooseLibrary(options, { reaper: this.reaper, signal })
    this.#choice = choice
    if (choice.by === 'broadcast') {
      if (tellsSize(env)) return identifyMpi(env, options)
      const late = (): Error =>
        new RunnerError(
          `Cannot find the other processes: MPI_Init did not return in ${formatDuration(rendezvousTimeout)}`,
          {
            code: 'ERR_TIMED_OUT',
          },
        )
      return identifyMpi(env, { runId, world: await deadline(choice.helper.world, rendezvousTimeout, late, signal) })
    }
    const identity = identifyMpi(env, options)
    if (isUniqueRun(env, options)) return identity
    throw new RunnerError(
      `Cannot tell this run from others, as the scheduler file needs it: this launcher says nothing that is unique ` +
        `to a run, and there is no broadcast over MPI, because ${choice.why}; or give all processes of the run the ` +
        'same word, such as --run-id "$(date +%s)"',
      { code: 'ERR_ENVIRONMENT' },
    )
  }

  protected override async schedulerFileFor(path: string, me: Identity): Promise<string> {
    if (this.#choice?.by !== 'broadcast' || this.#wantsFile) return path
    const name = `dask-hpc-runner-${formatRunKey(me.runKey)}-${me.rank}-${randomUUID().slice(0, 8)}`
    return join((await temporaryPlace()).path, name, 'scheduler.json')
  }

  /** An MPI launcher is mostly started in a job of Slurm. */
  protected override workloadManager({ options }: RunContext): WorkloadManager {
    return jobOfSlurm(options.env)
  }

  protected override rendezvous(run: RunContext): Rendezvous {
    const { identity, options, logger } = run
    const choice = this.#choice
    const says = (how: string): void => {
      if (identity.rank === 0) logger.info(`the processes meet ${how}`)
    }
    const file = new FileRendezvous(run, { reaper: this.reaper })
    if (choice?.by !== 'broadcast') {
      says(`at the scheduler file, because ${choice?.why ?? ''}`)
      return file
    }
    says(`by a broadcast over MPI: ${choice.library}`)
    const publishes = this.#wantsFile && options.scheduler && identity.rank === 0
    return new MpiRendezvous(run, {
      helper: choice.helper,
      reaper: this.reaper,
      ownFile: !this.#wantsFile,
      ...(publishes ? { file } : {}),
    })
  }
}
