import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Identity } from '../../identity/identity.ts'
import { equalPart, type Share } from '../../identity/share.ts'
import { jobEndVariables, jobOfSlurm } from '../slurm/slurm-job-end.ts'
import { shareInJob } from '../slurm/slurm-share.ts'
import { nameOf, optionNames, type RunnerOptions } from '../../options.ts'
import { ownTables } from '../../options/command-table.ts'
import { checkValue } from '../../options/complete.ts'
import { Child } from '../../process/child.ts'
import { formatExit } from '../../process/exit.ts'
import { readNodeLimits } from '../../process/limits.ts'
import type { Role } from '../../identity/roles.ts'
import { RunnerError } from '../../errors.ts'
import { checkNames } from '../../util/nearest.ts'
import { settledWithin } from '../../util/wait.ts'
import type { Context, RunContext } from '../../identity/run-context.ts'
import { FileRendezvous } from '../../rendezvous/file/file-rendezvous.ts'
import { BaseRunner } from '../../run/base-runner.ts'
import type { WorkloadManager } from '../../run/workload-manager.ts'
import type { MemberOrders } from './member-orders.ts'
import { forOwnProcess } from '../../util/own-process.ts'
import { ownProgram } from '../../util/own-program.ts'

/** Options of a run on one machine. */
export interface LocalRunnerOptions extends RunnerOptions {
  /** Number of processes, the calling one included, up to 10,000. @default 4 */
  readonly ntasks?: number | undefined
}

const { kind: processes, default: fewProcesses } = ownTables.local.ntasks

/** How long the word of a failed process may take to arrive after its end. In milliseconds. */
const outcomeTimeout = 2_000

/** How long the end of the run may take to reach the started processes by the run's own ways. In milliseconds. */
const hearingTimeout = 2_000

/** How long the started processes may take to end after the run has: a part of the grace, and so many milliseconds at most. */
const [memberShare, memberTimeout] = [0.75, 15_000]

/**
 * The same on one machine: n processes that together become one Dask cluster. The calling process is
 * the client's; it starts the others.
 *
 * @example
 * ```ts
 * await using runner = await LocalRunner.start({ ntasks: 4 })
 * console.log(`${runner.nWorkers} workers at ${runner.schedulerAddress}`)
 * ```
 */
export class LocalRunner extends BaseRunner {
  readonly #ntasks: number
  readonly #orders: RunnerOptions
  readonly #members: Child[] = []
  /** The environment that we were started in, with what a job around us says. */
  readonly #surroundings: Readonly<NodeJS.ProcessEnv>
  #workerRanks: readonly number[] = []
  #files: FileRendezvous | undefined

  /** @throws TypeError where there is no option of a name, RangeError where one is outside of what it takes. */
  constructor(options: LocalRunnerOptions = {}) {
    checkNames(options, ['ntasks', ...optionNames])
    const { ntasks = fewProcesses, ...others } = options
    super({ ...others, env: withoutWorkloadManager(others.env ?? process.env) })
    this.#ntasks = checkValue(processes, ntasks, nameOf(options, 'ntasks'))
    this.#surroundings = others.env ?? process.env
    this.#orders = whatCanBeSent(others)
  }

  protected override isOnOneHost(): boolean {
    return true
  }

  protected override identify(): Identity {
    const me: Identity = {
      rank: 0,
      size: this.#ntasks,
      host: hostname(),
      nodes: 1,
      share: { processes: 1 },
      runKey: {
        cluster: 'local',
        jobId: `local${process.pid}${randomBytes(3).toString('hex')}`,
        stepId: '0',
        restart: 0,
      },
      source: `one of ${this.#ntasks} processes on this machine`,
    }
    const ranks = Array.from({ length: this.#ntasks }, (_, rank) => rank)
    const hosting = (role: Role): number[] => ranks.filter((rank) => this.getRoles({ ...me, rank }).includes(role))
    const [client = 0] = hosting('client')
    this.#workerRanks = hosting('worker')
    return { ...me, share: this.#shareOf(client), rank: client }
  }

  /** Only workers compute: they divide the machine, or what a job around us has of it. */
  #shareOf(rank: number): Share {
    const processes = Math.max(1, this.#workerRanks.length)
    const localRank = this.#workerRanks.indexOf(rank)
    const sharing = { processes, areTasks: false, ...(localRank === -1 ? {} : { localRank }) }
    const share = shareInJob(this.#surroundings, sharing)
    // Our own affinity is that of all of them.
    return { ...share, cpus: [...(share.cpus ?? []), equalPart(readNodeLimits().affinity, 'affinity', processes)] }
  }

  protected override rendezvous(run: RunContext): FileRendezvous {
    const { identity } = run
    const onDirectory = (): void => {
      for (let rank = 0; rank < identity.size; rank++)
        if (rank !== identity.rank) this.#startMember({ ...identity, share: this.#shareOf(rank), rank }, run)
    }
    this.#files = new FileRendezvous(run, { reaper: this.reaper, isOnOneHost: true, isFirst: true, onDirectory })
    return this.#files
  }

  /** That of the job in which we were started, such as by its script. */
  protected override workloadManager({ options }: RunContext): WorkloadManager {
    return jobOfSlurm({ ...options.env, ...jobEndVariables(this.#surroundings) })
  }

  protected override async afterEnd({ options }: RunContext, told: boolean): Promise<void> {
    const ended = Promise.all(this.#members.map(async (member) => await member.exited))
    if (told) await settledWithin(ended, hearingTimeout)
    // A process that has not heard of the end takes the end of its standard input for it.
    const graceMs = Math.min(memberTimeout, options.grace * memberShare)
    await Promise.all(this.#members.map(async (member) => member.end(() => member.stdin?.end(), graceMs)))
    // Nobody can come late any more.
    await this.#files?.withdraw()
  }

  #startMember(identity: Identity, { options }: Context): void {
    const member = new Child({
      command: [process.execPath, ownProgram(), 'member'],
      env: forOwnProcess(options.env),
      reaper: this.reaper,
      output: 'inherit',
      stdin: 'pipe',
      endsWithUs: true,
    })
    this.#members.push(member)
    const orders: MemberOrders = { identity, options: this.#orders, job: jobEndVariables(this.#surroundings) }
    member.stdin?.write(`${JSON.stringify(orders)}\n`)
    member.unref()
    void member.exited.then((exit) => {
      const error = new RunnerError(`Rank ${identity.rank} ${formatExit(exit)} before the cluster was there`, {
        code: 'ERR_COMPONENT_LOST',
      })
      // Where it failed it has said why, and we are about to read that.
      setTimeout(() => {
        this.abandonStart(error)
      }, outcomeTimeout).unref()
    })
  }
}

/** One of the processes that a {@link LocalRunner} has started. */
export class MemberRunner extends BaseRunner {
  readonly #identity: Identity
  readonly #job: Readonly<Record<string, string>>

  constructor(
    options: RunnerOptions & { readonly identityOfMember: Identity; readonly job: Readonly<Record<string, string>> },
  ) {
    const { identityOfMember, job, ...own } = options
    super(own)
    this.#identity = identityOfMember
    this.#job = job
    // The process that started us is gone, or wants us to end.
    process.stdin.on('end', () => {
      this.interrupt('SIGTERM')
    })
    process.stdin.on('error', () => undefined)
    process.stdin.resume()
  }

  protected override isOnOneHost(): boolean {
    return true
  }

  protected override rendezvous(run: RunContext): FileRendezvous {
    return new FileRendezvous(run, { reaper: this.reaper, isOnOneHost: true })
  }

  protected override workloadManager({ options }: RunContext): WorkloadManager {
    return jobOfSlurm({ ...options.env, ...this.#job })
  }

  protected override identify(): Identity {
    return this.#identity
  }
}

/** The options that the other processes need too: what is not JSON is the calling process's own affair. */
function whatCanBeSent(options: RunnerOptions): RunnerOptions {
  const own = new Set<keyof RunnerOptions>(['signal', 'exit', 'env'])
  return Object.fromEntries(Object.entries(options).filter(([name]) => !own.has(name as keyof RunnerOptions)))
}

/** A job that this machine's processes might take themselves for a part of is not theirs. */
function withoutWorkloadManager(env: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(SLURM|PMI|OMPI_|PALS_|FLUX_|MPI_LOCAL|HYDI_)/.test(name)),
  )
}
