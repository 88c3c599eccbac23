import type { SchedulerClient } from './scheduler-client.ts'
import type { TlsFiles } from '../util/tls-files.ts'

/** Rank 0's connection to the scheduler, made when it is needed and made anew where it failed. */
export class SchedulerLink implements Disposable {
  readonly #address: string
  readonly #tls: TlsFiles | undefined
  #client: Promise<SchedulerClient> | undefined
  #closed = false

  constructor(address: string, tls: TlsFiles | undefined) {
    this.#address = address
    this.#tls = tls
  }

  /** @throws what `work` throws, or DaskError where the scheduler cannot be reached. */
  async call<T>(work: (client: SchedulerClient) => Promise<T>): Promise<T> {
    const connecting = (this.#client ??= this.#connect())
    try {
      const client = await connecting
      client.unref()
      return await work(client)
    } catch (error) {
      if (this.#client === connecting) this.#client = undefined
      void connecting.then(
        (client) => {
          client.close()
        },
        () => undefined,
      )
      throw error
    } finally {
      if (this.#closed) this[Symbol.dispose]()
    }
  }

  async #connect(): Promise<SchedulerClient> {
    const { SchedulerClient } = await import('./scheduler-client.ts')
    return await SchedulerClient.connect(this.#address, this.#tls && { tls: this.#tls })
  }

  [Symbol.dispose](): void {
    this.#closed = true
    void this.#client?.then(
      (client) => {
        client.close()
      },
      () => undefined,
    )
  }
}
