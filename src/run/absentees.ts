import { defaults } from '../defaults.ts'
import { messageOf } from '../errors.ts'
import type { EarlyExit } from '../rendezvous/rendezvous.ts'
import { formatDuration } from '../util/duration.ts'
import { showProgress } from '../util/progress.ts'
import type { Coordinator } from './coordinator.ts'
import { failureOf } from './failure.ts'
import type { RunParts } from './run-parts.ts'

/** How often rank 0 looks for word of ranks that will not come. */
const lookIntervalMs = 250

/** The ranks that have not come: rank 0 looks for word of them, and nobody may wait for them for ever. */
export class Absentees {
  readonly #run: RunParts
  readonly #coordinator: Coordinator
  #isLooking = false

  constructor(run: RunParts, coordinator: Coordinator) {
    this.#run = run
    this.#coordinator = coordinator
  }

  /** Looks again and again for those that will not come, until disposed of. */
  look(): Disposable {
    const timer = setInterval(() => {
      void this.#lookOnce()
    }, lookIntervalMs)
    timer.unref()
    return {
      [Symbol.dispose]: () => {
        clearInterval(timer)
      },
    }
  }

  /** Sees to it that nobody waits for ever for a rank that cannot come, or for the client's; until all have come or the run is over. */
  limitWaits(): void {
    const { context, member } = this.#run
    const { rendezvousTimeout } = context.options
    const early = setTimeout(() => {
      void this.#giveUpIfNobodyCanCome()
    }, defaults.notSharedAfterMs)
    const late = setTimeout(() => {
      this.#coordinator.failWithoutClient(formatDuration(rendezvousTimeout))
    }, rendezvousTimeout)
    for (const timer of [early, late]) timer.unref()
    const look = this.look()
    const progress = showProgress(context, () => {
      const { missing } = this.#coordinator
      const more = missing.length > 5 ? ` and ${missing.length - 5} more` : ''
      return `waiting for rank ${missing.slice(0, 5).join(', ')}${more} of ${context.identity.size}`
    })
    void Promise.race([this.#coordinator.everybodyCame, member.result]).then(() => {
      for (const timer of [early, late]) clearTimeout(timer)
      for (const each of [look, progress]) each[Symbol.dispose]()
    })
  }

  async #giveUpIfNobodyCanCome(): Promise<void> {
    const { rendezvous, context } = this.#run
    if (this.#coordinator.hosts.size > 1) return
    const error = await rendezvous.whyNobodyComes?.()
    if (error === undefined) return
    this.#coordinator.fail(failureOf(error, context.identity))
    for (const rank of this.#coordinator.missing) this.#coordinator.depart({ rank })
  }

  async #lookOnce(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      for (const exit of await this.#earlyExits()) this.#coordinator.depart(exit)
    } catch (error) {
      this.#run.context.logger.warn(messageOf(error))
    } finally {
      this.#isLooking = false
    }
  }

  async #earlyExits(): Promise<readonly EarlyExit[]> {
    const { rendezvous, manager } = this.#run
    const { missing } = this.#coordinator
    const lost = (await manager.step?.lostWithHost(missing)) ?? []
    const exits = (await rendezvous.earlyExits()).filter(({ rank }) => missing.includes(rank))
    // One that can still write where the network does not reach ends there unseen by the workload manager.
    const isSilent = async (rank: number): Promise<boolean> => (await manager.step?.hostAnswers(rank)) === false
    const judged = exits.map(async (exit) => ({ ...exit, silent: await isSilent(exit.rank) }))
    return [...(await Promise.all(judged)), ...lost]
  }
}
