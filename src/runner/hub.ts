import { randomUUID } from 'node:crypto'
import { type Line, localLine } from '../control/line.ts'
import type { FromHub, ToHub } from '../control/messages.ts'
import { hostOf, isLoopback, networkName, ownAddresses } from '../control/reach.ts'
import { ControlServer } from '../control/server.ts'
import { formatRunKey } from '../identity/run-key.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import { readPorts } from '../util/ports.ts'
import { Coordinator } from './coordinator.ts'
import type { RunContext } from './context.ts'

/** What only process 0 has: the control server, and the knowledge of the whole run behind it. */
export class Hub {
  readonly coordinator: Coordinator
  /** Process 0's own line to the coordinator. */
  readonly link: Line<FromHub, ToHub>
  readonly #server: ControlServer
  readonly #record: ClusterRecord

  private constructor(server: ControlServer, coordinator: Coordinator, record: ClusterRecord, run: RunContext) {
    this.#server = server
    this.coordinator = coordinator
    this.#record = record
    const [mine, theirs] = localLine<FromHub, ToHub>()
    this.link = mine
    coordinator.add(0, run.identity.host, theirs)
  }

  /**
   * Listens for the other processes of the run.
   *
   * @param oneHost that all of them are on this host, so that loopback is enough
   * @throws RunnerError ERR_UNAVAILABLE where no port can be listened on.
   */
  static async open(run: RunContext, oneHost: boolean): Promise<Hub> {
    const { roles, logger, identity, options } = run
    const coordinator = new Coordinator({ roles, workersEach: options.nworkers, logger })
    const runKey = formatRunKey(identity.runKey)
    const [nonce, secret] = [randomUUID(), randomUUID()]
    const server = await ControlServer.listen({
      runKey,
      nonce,
      secret,
      ...(oneHost ? { host: '127.0.0.1' } : {}),
      ...(options.controlPort === undefined ? {} : { ports: readPorts('controlPort', options.controlPort) }),
      onPeer: (peer, hello) => {
        coordinator.add(hello.rank, hello.host, peer)
      },
    })
    const record: ClusterRecord = {
      version: 1,
      run_key: runKey,
      nonce,
      host: identity.host,
      pid: process.pid,
      control: { addresses: oneHost ? ['127.0.0.1'] : ownAddresses(), port: server.port, network: await networkName() },
      secret,
      n_workers: roles.filter((each) => each.includes('worker')).length * options.nworkers,
    }
    return new Hub(server, coordinator, record, run)
  }

  /** Our record, before there is a scheduler: who owns the run and how to reach it. */
  get record(): ClusterRecord {
    return this.#record
  }

  /** Our record for a scheduler at `address`: where others reach that, they reach us. */
  recordFor(address: string): ClusterRecord {
    const host = hostOf(address)
    const { addresses } = this.#record.control
    if (host === undefined || isLoopback(host)) return this.#record
    return { ...this.#record, control: { ...this.#record.control, addresses: [...new Set([host, ...addresses])] } }
  }

  unref(): void {
    this.#server.unref()
  }

  async close(): Promise<void> {
    await this.#server.close()
  }
}
