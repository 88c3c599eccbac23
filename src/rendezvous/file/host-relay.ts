import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { PrivateDirectory } from '../../filesystem/private-directory.ts'
import { ownUid } from '../../filesystem/untrusted.ts'
import { monotonic } from '../../util/monotonic.ts'
import type { DirectoryKeeper } from '../../util/own-directory.ts'
import { watchDirectory } from './watch.ts'

/** Between two signs of life of the relay. */
const heartbeatIntervalMs = 1_000
/** After a silence of so long the others look by themselves: the relay has not come, or it is stopped. */
const longestSilenceMs = 3_000
/** Between two looks into the directory on the node, where its kernel sends no events. */
const localIntervalMs = 100

const [foundName, aliveName] = ['found.json', 'alive']

/** Where the processes of one host meet. */
export interface HostRelayOptions {
  /** A directory of the node, such as /dev/shm. */
  readonly parent: string
  /** Whether this process is the relay: the one of local rank 0. */
  readonly isRelay: boolean
  /** Removes their directory at the end of this process. */
  readonly reaper: DirectoryKeeper
}

/** Where the processes of `node` meet that belong to the run of that directory. */
export function relayPath(runDirectory: string, node: string, parent: string): string {
  const digest = createHash('sha256').update(`${runDirectory}\0${node}`).digest('hex').slice(0, 24)
  return join(parent, `dask-hpc-runner-relay-${ownUid()}-${digest}`)
}

/**
 * Spares the shared filesystem: the process of local rank 0 looks for all of its host, and puts what it finds into a
 * file of a directory of this user on the node. The others watch that one, and look by themselves where nothing comes.
 */
export class HostRelay implements Disposable {
  readonly isRelay: boolean
  readonly #directory: PrivateDirectory
  #heartbeats = 0
  #heartbeat: NodeJS.Timeout | undefined

  private constructor(directory: PrivateDirectory, isRelay: boolean) {
    this.#directory = directory
    this.isRelay = isRelay
  }

  /**
   * @param runDirectory of the run
   * @param node whose processes these are
   * @returns undefined where there can be no such directory, so that each process looks by itself.
   */
  static async open(runDirectory: string, node: string, options: HostRelayOptions): Promise<HostRelay | undefined> {
    const directory = new PrivateDirectory(relayPath(runDirectory, node, options.parent))
    try {
      if (!(await directory.make(options.reaper))) return undefined
      const relay = new HostRelay(directory, options.isRelay)
      if (options.isRelay) relay.#startHeartbeat()
      return relay
    } catch {
      return undefined
    }
  }

  /** Tells the others of this host. Never throws: where that fails, they look by themselves. */
  async tell(text: string): Promise<void> {
    await this.#directory.put(foundName, text).catch(() => undefined)
    this[Symbol.dispose]()
  }

  /**
   * Waits for what the relay tells.
   *
   * @param read gives undefined for what is of no use
   * @returns undefined where this process has to look by itself.
   * @throws the signal's reason.
   */
  async hear<T>(
    read: (text: string) => T | undefined,
    { timeout, signal }: { readonly timeout: number; readonly signal?: AbortSignal | undefined },
  ): Promise<T | undefined> {
    let [last, heardAt] = ['', monotonic()]
    const inspect = async (names: readonly string[]): Promise<{ readonly told: T | undefined } | undefined> => {
      const text = names.includes(foundName) ? await this.#directory.read(foundName) : undefined
      if (text !== undefined) return { told: read(text) }
      const heartbeat = names.includes(aliveName) ? ((await this.#directory.read(aliveName)) ?? last) : last
      if (heartbeat !== last) [last, heardAt] = [heartbeat, monotonic()]
      return monotonic() - heardAt > longestSilenceMs ? { told: undefined } : undefined
    }
    try {
      const { told } = await watchDirectory(this.#directory.path, inspect, {
        ...{ mode: 'auto', interval: localIntervalMs, timeout, signal },
        late: () => new Error('nothing was told'),
        notice: () => undefined,
      })
      return told
    } catch {
      signal?.throwIfAborted()
      return undefined
    }
  }

  /** The relay does not look any more. */
  [Symbol.dispose](): void {
    clearInterval(this.#heartbeat)
  }

  #startHeartbeat(): void {
    const heartbeat = (): void => {
      this.#directory.put(aliveName, String(this.#heartbeats++)).catch(() => undefined)
    }
    heartbeat()
    this.#heartbeat = setInterval(heartbeat, heartbeatIntervalMs).unref()
  }
}
