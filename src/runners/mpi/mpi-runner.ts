import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { exitStatuses, messageOf, RunnerError } from '../../errors.ts'
import type { Identity } from '../../identity/identity.ts'
import { checkWorld, identifyMpi, isUniqueRun, tellsSize, type World } from '../../identity/mpi.ts'
import { formatRunKey } from '../../identity/run-key.ts'
import type { RunnerOptions } from '../../options.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import type { Found } from '../../rendezvous/found.ts'
import type { Failure, OutcomeRecord } from '../../record/outcome-record.ts'
import { formatSchedulerFile } from '../../record/parse.ts'
import type { PublishedFile } from '../../record/scheduler-file.ts'
import { BroadcastStore } from '../../rendezvous/broadcast-store.ts'
import type { EarlyExit } from '../../rendezvous/early-exits.ts'
import { formatDuration } from '../../util/duration.ts'
import { makeOwnDirectory } from '../../util/own-directory.ts'
import { temporaryPlace } from '../../util/temporary-place.ts'
import { deadline, settledWithin, untilAborted } from '../../util/wait.ts'
import { type Context, InterruptedError, type RunContext } from '../../identity/run-context.ts'
import { FileRunner } from '../file-runner.ts'
import type { Leavings } from '../../run/hooks.ts'
import { chooseMeeting, type Meeting } from '../../mpi/choose-library.ts'

/** How long `MPI_Abort` may take, once it is called. In milliseconds. */
const abortTimeout = 2_000

/**
 * A runner for the ranks that an MPI launcher has started: every one runs the same program. Rank 0
 * broadcasts where the cluster is, so that no filesystem has to be shared. Where there is no MPI
 * library, or no koffi to call it, the ranks meet at the scheduler file, as under Slurm.
 *
 * @example
 * ```ts
 * await using runner = await MPIRunner.start()
 * // Only the client process gets here.
 * console.log(`${runner.nWorkers} workers at ${runner.schedulerAddress}`)
 * ```
 */
export class MPIRunner extends FileRunner {
  /** Whether a scheduler file is wanted where others can read it, beside the broadcast. */
  readonly #wantsFile: boolean
  #meeting: Meeting | undefined
  /** Missing where the ranks meet at the file. */
  #store: BroadcastStore | undefined
  /** The others are being ended, so that none of them can come. */
  #aborted = false

  /** @throws RangeError where an option is outside of what it takes. */
  constructor(options: RunnerOptions = {}) {
    super(options)
    this.#wantsFile = options.schedulerFile !== undefined
  }

  protected override async identify({ options, signal }: Context): Promise<Identity> {
    const { env, runId, rendezvousTimeout } = options
    const meeting = await chooseMeeting(options, { reaper: this.reaper, signal })
    this.#meeting = meeting
    const me = { host: hostname(), runId }
    if (meeting.by === 'broadcast') {
      if (tellsSize(env)) return identifyMpi(env, me)
      const late = (): Error =>
        new RunnerError(
          `Cannot find the other processes: MPI_Init did not return in ${formatDuration(rendezvousTimeout)}`,
          {
            code: 'ERR_TIMED_OUT',
          },
        )
      return identifyMpi(env, { ...me, world: await deadline(meeting.helper.world, rendezvousTimeout, late, signal) })
    }
    const identity = identifyMpi(env, me)
    if (isUniqueRun(env, me)) return identity
    throw new RunnerError(
      `Cannot tell this run from others, as the scheduler file needs it: this launcher says nothing that is unique ` +
        `to a run, and there is no broadcast over MPI, because ${meeting.why}; or give all processes of the run the ` +
        'same word, such as --run-id "$(date +%s)"',
      { code: 'ERR_ENVIRONMENT' },
    )
  }

  protected override async schedulerFileFor(path: string, me: Identity): Promise<string> {
    if (this.#meeting?.by !== 'broadcast' || this.#wantsFile) return path
    const name = `dask-hpc-runner-${formatRunKey(me.runKey)}-${me.rank}-${randomUUID().slice(0, 8)}`
    return join((await temporaryPlace()).path, name, 'scheduler.json')
  }

  protected override async prepare(run: RunContext): Promise<void> {
    const { identity, options, logger } = run
    const meeting = this.#meeting
    if (meeting?.by === 'broadcast') {
      if (identity.rank === 0) logger.info(`the processes meet by a broadcast over MPI: ${meeting.library}`)
      this.#store = new BroadcastStore({
        helper: meeting.helper,
        size: identity.size,
        timeout: options.rendezvousTimeout,
        logger,
        check: (world: World) => {
          checkWorld(identity, world)
        },
      })
    } else if (identity.rank === 0) {
      logger.info(`the processes meet at the scheduler file, because ${meeting?.why ?? ''}`)
    }
    if (this.#usesFiles(run)) await super.prepare(run)
  }

  protected override async announce(record: ClusterRecord, run: RunContext): Promise<void> {
    // The one broadcast carries the whole record, once there is a cluster.
    if (this.#usesFiles(run)) await super.announce(record, run)
  }

  protected override async publish(file: PublishedFile, run: RunContext): Promise<void> {
    if (this.#usesFiles(run)) await super.publish(file, run)
    if (this.#store === undefined) return
    await this.#keepOwnFile(file, run)
    await this.#store.publish(file, run.signal)
  }

  protected override async publishOutcome(outcome: OutcomeRecord, run: RunContext): Promise<void> {
    if (this.#usesFiles(run)) await super.publishOutcome(outcome, run)
    if (this.#store === undefined || this.#store.isOver) return
    // Whoever was told to end is not there to be told why.
    const told = !isInterrupted(run) && (await this.#store.publishOutcome(outcome))
    if (!told)
      await this.#abort(outcome.failure ?? { status: exitStatuses.ERR_COMPONENT_LOST, message: 'The run is over' }, run)
  }

  protected override publishOutcomeAtOnce(outcome: OutcomeRecord): void {
    if (this.#store === undefined) super.publishOutcomeAtOnce(outcome)
  }

  protected override async lookUp(run: RunContext, dead: ReadonlySet<string>): Promise<Found> {
    if (this.#store === undefined) return await super.lookUp(run, dead)
    // There was one broadcast, and there is none that would replace it.
    if (dead.size > 0) return await untilAborted(new Promise<never>(() => undefined), run.signal)
    const found = await this.#store.lookUp(run.signal)
    const isClient = run.roles[run.identity.rank]?.includes('client') === true
    if (found.kind === 'cluster' && isClient) await this.#keepOwnFile(found.file, run)
    return found
  }

  protected override async withdraw(run: RunContext, tombstone: OutcomeRecord | undefined): Promise<void> {
    // Nobody who meets by a broadcast looks for a tombstone.
    if (this.#usesFiles(run)) await super.withdraw(run, this.#store === undefined ? tombstone : undefined)
  }

  protected override replacementTime(): number {
    return this.#store === undefined ? super.replacementTime() : 0
  }

  protected override async whyNobodyComes(run: RunContext): Promise<Error | undefined> {
    return this.#store === undefined ? await super.whyNobodyComes(run) : undefined
  }

  protected override async leaveEarlyExit(run: RunContext, failure?: Failure): Promise<void> {
    if (this.#store === undefined) await super.leaveEarlyExit(run, failure)
    else if (!this.#store.isOver && failure !== undefined && !isInterrupted(run)) await this.#abort(failure, run)
  }

  protected override async endAlone(outcome: OutcomeRecord, run: RunContext): Promise<void> {
    if (this.#store === undefined) {
      await super.endAlone(outcome, run)
      return
    }
    await this.publishOutcome(outcome, run)
    await this.withdraw(run, undefined)
  }

  protected override async earlyExits(run: RunContext, missing: readonly number[]): Promise<readonly EarlyExit[]> {
    if (this.#store === undefined) return await super.earlyExits(run, missing)
    return this.#aborted ? run.roles.map((_, rank) => ({ rank })) : []
  }

  protected override leavings(run: RunContext): Leavings {
    return this.#usesFiles(run) ? super.leavings(run) : { files: [], directories: [] }
  }

  #usesFiles({ identity, options }: RunContext): boolean {
    return this.#store === undefined || (this.#wantsFile && options.scheduler && identity.rank === 0)
  }

  /** Where no scheduler file is shared, this process has one of its own, for its programs. */
  async #keepOwnFile(file: PublishedFile, { schedulerFile, logger }: RunContext): Promise<void> {
    if (this.#wantsFile) return
    const directory = dirname(schedulerFile)
    try {
      this.reaper.addDirectory(await makeOwnDirectory(directory))
      await writeFile(schedulerFile, formatSchedulerFile(file), { mode: 0o600, flag: 'wx' })
    } catch (error) {
      logger.warn(
        `Cannot write the scheduler file of this process: ${messageOf(error)}; set TMPDIR to another directory`,
      )
    }
  }

  /** The last resort, for processes that wait for what will not come. */
  async #abort({ status, message }: Pick<Failure, 'status' | 'message'>, { logger }: RunContext): Promise<void> {
    if (this.#meeting?.by !== 'broadcast') return
    const { helper } = this.#meeting
    this.#aborted = true
    if (helper.hasWorld) {
      logger.warn(`the other processes cannot be told, and are ended by MPI_Abort: ${message}`)
      helper.abort(status)
      await settledWithin(helper.exited, abortTimeout)
    }
    helper.kill()
  }
}

function isInterrupted({ signal }: RunContext): boolean {
  return signal.reason instanceof InterruptedError
}
