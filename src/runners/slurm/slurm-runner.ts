import { hostname } from 'node:os'
import type { Identity } from '../../identity/identity.ts'
import { exitStatuses } from '../../errors.ts'
import { slurmHosts } from '../../identity/slurm-hosts.ts'
import { identifySlurm, unknownHost } from '../../identity/slurm.ts'
import { askProgram, lastWords } from '../../process/ask-program.ts'
import type { Found } from '../../rendezvous/found.ts'
import type { Failure } from '../../record/outcome-record.ts'
import type { EarlyExit } from '../../rendezvous/early-exits.ts'
import { formatDuration } from '../../util/duration.ts'
import { sleep } from '../../util/wait.ts'
import type { Context, RunContext } from '../../identity/run-context.ts'
import { HostLostError } from '../../run/failure.ts'
import { FileRunner } from '../file-runner.ts'
import { SilentHosts, type SilentHostsOptions } from './unreachable-hosts.ts'

/** How long `scancel` may take: a node that is cut off does not reach the controller. In milliseconds. */
const scancelTimeout = 5_000

/** How often a process that waits for process 0 looks at its host, at most. In milliseconds. */
const lookInterval = 1_000

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
  #silentHosts: SilentHosts | undefined

  protected override identify({ options }: Context): Identity {
    return identifySlurm(options.env, options)
  }

  protected override async earlyExits(run: RunContext, missing: readonly number[]): Promise<readonly EarlyExit[]> {
    const silent = await this.#ranksOnSilentHosts(run, missing)
    const words = (await super.earlyExits(run, missing)).filter(({ rank }) => missing.includes(rank))
    // Who can still write where the network does not reach, ends there unseen by Slurm.
    const judged = words.map(async (word) => ({ ...word, silent: !(await this.#hostAnswers(word.rank, run)) }))
    return [...(await Promise.all(judged)), ...silent.map((rank) => lostWithHost(rank, run))]
  }

  protected override isFarFromRank0({ identity, options }: RunContext): boolean {
    const [first = unknownHost] = slurmHosts(options.env, identity)
    return first !== unknownHost && first !== identity.host
  }

  protected override areHostsReal({ identity, options }: RunContext): boolean {
    // Those of a simulated step are not this machine's.
    const [name = ''] = hostname().split('.')
    return slurmHosts(options.env, identity).some((host) => host === hostname() || host === name)
  }

  protected override someDoubtful(): boolean {
    return this.#silentHosts?.someDoubtful === true
  }

  protected override canReleaseStep(): boolean {
    return true
  }

  protected override async lookUp(run: RunContext, dead: ReadonlySet<string>): Promise<Found> {
    const over = new AbortController()
    const found = super.lookUp({ ...run, signal: AbortSignal.any([run.signal, over.signal]) }, dead)
    const lost = this.#gathererHostLost({ ...run, signal: over.signal })
    try {
      return await Promise.race([found, lost])
    } finally {
      over.abort(new Error('this is no longer waited for'))
      for (const each of [found, lost]) each.catch(() => undefined)
    }
  }

  /** @throws HostLostError where process 0 cannot come, or the signal's reason; does not resolve. */
  async #gathererHostLost(run: RunContext): Promise<never> {
    // The more ask, the less often each may.
    const interval = Math.max(lookInterval, run.identity.size * 5)
    for (;;) {
      await sleep(interval, run.signal)
      const silent = await this.#ranksOnSilentHosts(run, [0])
      if (silent.length > 0)
        throw new HostLostError(lostWithHost(0, run).failure.message, { code: 'ERR_COMPONENT_LOST' })
    }
  }

  async #ranksOnSilentHosts({ identity, options }: RunContext, ranks: readonly number[]): Promise<readonly number[]> {
    if (ranks.length === 0) return []
    const hosts = slurmHosts(options.env, identity)
    const others = ranks.filter((rank) => hosts[rank] !== unknownHost && hosts[rank] !== identity.host)
    const lost = await this.#hostsOf(options).lost(others.flatMap((rank) => hosts[rank] ?? []))
    return others.filter((rank) => lost.has(hosts[rank] ?? ''))
  }

  async #hostAnswers(rank: number, { identity, options }: RunContext): Promise<boolean> {
    const host = slurmHosts(options.env, identity)[rank] ?? unknownHost
    return host === unknownHost || host === identity.host || (await this.#hostsOf(options).answers(host))
  }

  #hostsOf(options: SilentHostsOptions): SilentHosts {
    return (this.#silentHosts ??= new SilentHosts(options))
  }

  protected override async isOver(run: RunContext): Promise<boolean> {
    return (await super.isOver(run)) && (await this.#hostAnswers(0, run))
  }

  protected override async wakeStep(run: RunContext): Promise<void> {
    await scancel(run, 'wake what is stopped of', ['--signal=CONT'])
  }

  protected override async releaseStep(run: RunContext, silent: readonly number[]): Promise<void> {
    const whom = `process ${silent.join(', ')}`
    run.logger.warn(`${whom} may still hold the step: scancel ${stepOf(run)} has Slurm end it (--no-scancel leaves it)`)
    // Nobody comes to read the word of process 0's end, which process 0 cannot remove.
    if (silent.includes(0)) await this.withdraw(run, undefined)
    await scancel(run, 'end')
  }
}

/** Has Slurm do something to the step. Does not throw. */
async function scancel(run: RunContext, what: string, args: readonly string[] = []): Promise<void> {
  const { options, logger } = run
  const step = stepOf(run)
  const answer = await askProgram(['scancel', ...args, step], { env: options.env, timeout: scancelTimeout })
  const { failure, stderr } = answer
  if (failure === undefined) return
  const why = (failure.how === 'ended' ? lastWords(stderr) : undefined) ?? `scancel: ${failure.why}`
  logger.warn(`Cannot have Slurm ${what} the step ${step}: ${why}`)
}

function stepOf({ identity }: RunContext): string {
  return `${identity.runKey.jobId}.${identity.runKey.stepId}`
}

/** A process that never came, on a host that is lost. */
function lostWithHost(rank: number, { roles, identity, options }: RunContext): EarlyExit & { failure: Failure } {
  const host = slurmHosts(options.env, identity)[rank] ?? unknownHost
  const message =
    `Lost process ${rank} (${roles[rank]?.join(', ') ?? ''}) on ${host}, which has not come: nothing was heard of its host ` +
    `for ${formatDuration(options.lostAfter)}: it is frozen, or its network is gone`
  return {
    rank,
    silent: true,
    failure: { status: exitStatuses.ERR_COMPONENT_LOST, message, rank, host, last_lines: [] },
  }
}
