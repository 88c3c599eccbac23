import { hostname } from 'node:os'
import { exitStatuses } from '../../errors.ts'
import type { RunContext } from '../../identity/run-context.ts'
import { slurmHosts } from './slurm-hosts.ts'
import { unknownHost } from './identify-slurm.ts'
import { scancel } from './scancel.ts'
import type { EarlyExit } from '../../rendezvous/rendezvous.ts'
import type { Step } from '../../run/workload-manager.ts'
import { formatDuration } from '../../util/duration.ts'
import { UnreachableHosts } from './unreachable-hosts.ts'

/** Whether this process is on another host than rank 0. Host names of a simulated step are not this machine's, and tell nothing. */
export function isFarFromRank0({ options, identity }: RunContext): boolean | 'unknown' {
  const hosts = slurmHosts(options.env, identity)
  const [first = unknownHost] = hosts
  const [name = ''] = hostname().split('.')
  if (first === unknownHost || !hosts.some((host) => host === hostname() || host === name)) return 'unknown'
  return first !== identity.host
}

/** Of so many hosts it is asked whether they answer: one that does is enough. */
const mostAsked = 8

/** A step of Slurm, as one of its processes knows it. */
export class SlurmStep implements Step {
  readonly #run: RunContext
  /** By rank. */
  readonly #hosts: readonly string[]
  readonly #unreachable: UnreachableHosts

  constructor(run: RunContext) {
    this.#run = run
    this.#hosts = slurmHosts(run.options.env, run.identity)
    this.#unreachable = new UnreachableHosts(run.options)
  }

  async lostWithHost(ranks: readonly number[]): Promise<readonly EarlyExit[]> {
    const others = ranks.filter((rank) => this.#isOther(rank))
    if (others.length === 0) return []
    const lost = await this.#unreachable.lost(others.map((rank) => this.#hostOf(rank)))
    return others.filter((rank) => lost.has(this.#hostOf(rank))).map((rank) => this.#lossOf(rank))
  }

  async hostAnswers(rank: number): Promise<boolean> {
    return !this.#isOther(rank) || (await this.#unreachable.answers(this.#hostOf(rank)))
  }

  get someDoubtful(): boolean {
    return this.#unreachable.someDoubtful
  }

  /** Slurm wakes what there is and calls it an error where tasks of the step have ended; what then still holds the step is ended. */
  async resumeStep(): Promise<void> {
    const args = ['--signal=CONT']
    const why = await this.#scancel(args)
    if (why !== undefined) this.#run.logger.detail(`scancel ${args.join(' ')} ${this.#step} failed: ${why}`)
  }

  async terminateStep(absent: readonly number[]): Promise<void> {
    await this.#endHeldBy(absent, ['--signal=TERM'])
  }

  async cancelStep(silent: readonly number[]): Promise<void> {
    await this.#endHeldBy(silent)
  }

  async #endHeldBy(ranks: readonly number[], args: readonly string[] = []): Promise<void> {
    const { logger } = this.#run
    const command = ['scancel', ...args, this.#step].join(' ')
    logger.warn(
      `rank ${ranks.join(', ')} may still hold the step: ${command} has Slurm end it (--no-scancel leaves it)`,
    )
    const why = await this.#scancel(args)
    if (why !== undefined) logger.warn(`Cannot have Slurm end the step ${this.#step}: ${why}`)
  }

  /** Why it failed. */
  async #scancel(args: readonly string[]): Promise<string | undefined> {
    const { env } = this.#run.options
    return await scancel([...args, this.#step], { env, otherHostAnswers: async () => await this.#otherHostAnswers() })
  }

  /** Whether another host of the step does, of the first few. A step of one host is not cut off from any. */
  async #otherHostAnswers(): Promise<boolean> {
    const others = [...new Set(this.#hosts)].filter((host) => host !== unknownHost && host !== this.#run.identity.host)
    if (others.length === 0) return true
    const answers = others.slice(0, mostAsked).map(async (host) => {
      if (!(await this.#unreachable.answers(host))) throw new Error('it does not')
    })
    return await Promise.any(answers).then(
      () => true,
      () => false,
    )
  }

  get #step(): string {
    const { jobId, stepId } = this.#run.identity.runKey
    return `${jobId}.${stepId}`
  }

  #hostOf(rank: number): string {
    return this.#hosts[rank] ?? unknownHost
  }

  #isOther(rank: number): boolean {
    return ![unknownHost, this.#run.identity.host].includes(this.#hostOf(rank))
  }

  #lossOf(rank: number): EarlyExit {
    const { roles, options } = this.#run
    const host = this.#hostOf(rank)
    const message =
      `Lost rank ${rank} (${roles[rank]?.join(', ') ?? ''}) on ${host}, which has not come: nothing was heard of its host ` +
      `for ${formatDuration(options.lostAfter)}: it is frozen, or its network is gone`
    const failure = { status: exitStatuses.ERR_COMPONENT_LOST, message, rank, host, last_lines: [] }
    return { rank, silent: true, failure }
  }
}
