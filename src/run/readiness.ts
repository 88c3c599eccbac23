import type { Channel } from '../control/channel.ts'
import type { FromCoordinator, ToCoordinator } from '../control/messages.ts'
import { sleep } from '../util/wait.ts'

interface Waiter {
  readonly channel: Channel<ToCoordinator, FromCoordinator>
  readonly wanted: number
  told: number | undefined
  readonly satisfied: () => void
}

/** From one answer of the scheduler to the next question. In milliseconds. */
const intervalMs = 100

/**
 * Knows in rank 0 how many workers run, and tells whoever waits for them. However many wait, the
 * scheduler is asked by one small request at a time, at most ten times a second.
 */
export class Readiness {
  readonly #ask: () => Promise<number>
  readonly #waiters = new Set<Waiter>()
  #looking = false

  /** @param ask asks the scheduler how many workers run; where it fails it is called again later */
  constructor(ask: () => Promise<number>) {
    this.#ask = ask
  }

  /** Tells `channel` how many workers run until `wanted` of them do. Resolves then, or when the channel has closed. */
  async add(channel: Channel<ToCoordinator, FromCoordinator>, wanted: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const waiter: Waiter = { channel, wanted, told: undefined, satisfied: resolve }
      this.#waiters.add(waiter)
      void channel.closed.then(() => {
        this.#drop(waiter)
      })
      void this.#look()
    })
  }

  #drop(waiter: Waiter): void {
    this.#waiters.delete(waiter)
    waiter.satisfied()
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    while (this.#waiters.size > 0) {
      const running = await this.#ask().catch(() => undefined)
      if (running !== undefined) this.#tell(running)
      await sleep(intervalMs)
    }
    this.#looking = false
  }

  #tell(running: number): void {
    for (const waiter of [...this.#waiters]) {
      const { channel, wanted, told } = waiter
      if (running !== told) channel.send({ type: 'workers', running, wanted })
      waiter.told = running
      if (running >= wanted) this.#drop(waiter)
    }
  }
}
