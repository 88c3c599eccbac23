import { join } from 'node:path'
import { defaults } from '../../defaults.ts'
import { errnoOf, RunnerError } from '../../errors.ts'
import { isLocalFilesystem } from '../../filesystem/local-filesystem.ts'
import type { PrivateDirectory } from '../../filesystem/private-directory.ts'
import { formatSystemError } from '../../filesystem/system-error.ts'
import { UntrustedError } from '../../filesystem/untrusted.ts'
import type { Logger } from '../../logger.ts'
import type { WatchMode } from '../../options.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import { type Found, parseFound } from '../found.ts'
import { formatDuration } from '../../util/duration.ts'
import { monotonic } from '../../util/monotonic.ts'
import { cannotPublish } from './cannot-publish.ts'
import type { HostRelay } from './host-relay.ts'
import { coordinatorName, exitedPattern, killedName, othersWait, outcomeName, waitsName } from './names.ts'
import { notSharedError } from './not-shared.ts'
import { killedOutcome, unwrittenOutcome } from './outcome.ts'
import { coordinatorIn, readCoordinator, readOutcome } from './run-directory.ts'
import { type LastSight, realWatchSeams, watchDirectory, type WatchSeams } from './watch.ts'

/** How a process waits for what rank 0 publishes. */
export interface LookUpOptions {
  readonly runKey: string
  /** Milliseconds. */
  readonly timeout: number
  /** Milliseconds that the filesystem may take for one look. */
  readonly filesystemTimeout: number
  /** Milliseconds between two listings. */
  readonly interval: number
  /** The same where a process looks by itself that has waited for the relay of its host. */
  readonly intervalAlone: number
  /** Tells the processes of this host. Undefined: this process looks for itself. */
  readonly relay: HostRelay | undefined
  readonly mode: WatchMode
  /** The node of this process, where rank 0 is known to be on another. */
  readonly farNode: string | undefined
  readonly logger: Logger
  /** Nonces of records that were found to be dead and are not to be returned again. @default none */
  readonly except?: ReadonlySet<string> | undefined
  readonly signal?: AbortSignal | undefined
  /** @default the real ones */
  readonly seams?: WatchSeams
  /** Milliseconds from any fixed moment. @default monotonic */
  readonly now?: () => number
}

/** How long a file that is listed may stay unreadable: some filesystems show it before its content. */
const tolerance = 1_000

/**
 * Waits until rank 0 has published in the run's directory, which exists.
 *
 * @throws RunnerError ERR_TIMED_OUT, ERR_UNAVAILABLE where what is there cannot be used, ERR_CANNOT_PUBLISH
 * where the directory is not this user's alone or its filesystem does not answer, or the signal's reason.
 */
export async function lookUp(directory: PrivateDirectory, options: LookUpOptions): Promise<Found> {
  const { runKey, timeout, signal, except, relay } = options
  const reader = new RecordReader(directory, options)
  const end = reader.now() + timeout
  try {
    // A process that found a dead record looks by itself: what it was told may be that record.
    if (relay === undefined || (except !== undefined && except.size > 0)) return await look(reader, options, timeout)
    if (relay.isRelay) {
      using _ = relay
      const found = await look(reader, options, timeout)
      await relay.tell(JSON.stringify(found))
      return found
    }
    const told = await relay.hear((text) => reader.told(text), { timeout, signal })
    const left = Math.max(lastLook, end - reader.now())
    return told ?? (await look(reader, { ...options, interval: options.intervalAlone }, left))
  } catch (error) {
    // Every process makes the directory before it looks, so that a missing one has been removed.
    if (errnoOf(error) === 'ENOENT') return { kind: 'outcome', outcome: { version: 1, run_key: runKey } }
    if (error instanceof UntrustedError) throw cannotPublish(directory.path, error)
    if (error instanceof RunnerError || errnoOf(error) === undefined || signal?.aborted === true) throw error
    throw new RunnerError(`Cannot read "${directory.path}": ${formatSystemError(error)}`, {
      code: 'ERR_UNAVAILABLE',
      cause: error,
    })
  }
}

/** How long a process that was told nothing in time looks by itself. In milliseconds. */
const lastLook = 500

async function look(
  reader: RecordReader,
  { timeout, filesystemTimeout, interval, mode, logger, signal, seams }: LookUpOptions,
  left: number,
): Promise<Found> {
  const { directory } = reader
  return await watchDirectory(directory.path, async (names) => reader.read(names), {
    ...{ mode, interval, timeout: left, filesystemTimeout, signal },
    late: (last) => tooLate(directory, timeout, last),
    notice: (message) => {
      logger.warn(message)
    },
    seams: seams ?? { ...realWatchSeams, list: async () => await directory.list() },
  })
}

class RecordReader {
  readonly directory: PrivateDirectory
  readonly #options: LookUpOptions
  readonly #began: number
  #unreadableSince: number | undefined

  constructor(directory: PrivateDirectory, options: LookUpOptions) {
    this.directory = directory
    this.#options = options
    this.#began = this.now()
  }

  async read(names: readonly string[]): Promise<Found | undefined> {
    const { runKey } = this.#options
    if (names.includes(outcomeName)) {
      const outcome = await this.#parse(outcomeName, readOutcome, () => unwrittenOutcome(runKey))
      return outcome === undefined ? undefined : { kind: 'outcome', outcome: this.#own(outcome, outcome.run_key) }
    }
    if (names.includes(killedName)) {
      const host = names.includes(coordinatorName) ? (await coordinatorIn(this.directory))?.host : undefined
      return { kind: 'outcome', outcome: killedOutcome(runKey, host) }
    }
    if (names.includes(coordinatorName)) {
      const record = await this.#parse(coordinatorName, readCoordinator)
      if (record === undefined) return undefined
      if (this.#isDead(record)) {
        await this.#tellRank0(names)
        return undefined
      }
      return { kind: 'coordinator', record: this.#own(record, record.run_key) }
    }
    await this.#checkShared(names)
    return undefined
  }

  /** What another process has found or published, where it is what a look of our own would find. */
  told(text: string): Found | undefined {
    const found = parseFound(text)
    if (found === undefined || (found.kind === 'coordinator' && this.#isDead(found.record))) return undefined
    const { run_key: key } = found.kind === 'coordinator' ? found.record : found.outcome
    return key === this.#options.runKey ? found : undefined
  }

  #isDead({ nonce }: ClusterRecord): boolean {
    return this.#options.except?.has(nonce) === true
  }

  async #checkShared(names: readonly string[]): Promise<void> {
    const { farNode } = this.#options
    const waitedMs = this.now() - this.#began
    if (farNode === undefined || waitedMs < defaults.notSharedAfterMs / 2) return
    const isAlone = !othersWait(names, farNode)
    if (!isAlone && names.includes(waitsName(farNode))) return
    const error = await notSharedError(this.directory.path, farNode)
    if (error === undefined) return
    // Rank 0 is late, perhaps: then the others of the run see this.
    await this.#leaveMark(farNode)
    if (isAlone && waitedMs >= defaults.notSharedAfterMs) throw error
  }

  /** Rank 0 has published, and cannot be connected to: it is to know that its directory is shared. */
  async #tellRank0(names: readonly string[]): Promise<void> {
    const { farNode } = this.#options
    if (farNode === undefined || names.includes(waitsName(farNode))) return
    if (await isLocalFilesystem(this.directory.path)) await this.#leaveMark(farNode)
  }

  async #leaveMark(node: string): Promise<void> {
    await this.directory.leaveName(waitsName(node)).catch(() => undefined)
  }

  now(): number {
    return (this.#options.now ?? monotonic)()
  }

  /** @param whenEmpty what a file says that stays empty. @default it is an error */
  async #parse<T>(name: string, parse: (text: string) => T | undefined, whenEmpty?: () => T): Promise<T | undefined> {
    const text = await this.directory.read(name)
    if (text === undefined) return undefined
    const parsed = parse(text)
    if (parsed === undefined) {
      this.#unreadableSince ??= this.now()
      if (this.now() - this.#unreadableSince < tolerance) return undefined
      if (text === '' && whenEmpty !== undefined) return whenEmpty()
      throw this.#unusable(name, 'it is not a record of this program')
    }
    this.#unreadableSince = undefined
    return parsed
  }

  #own<T>(value: T, runKey: string): T {
    if (runKey === this.#options.runKey) return value
    throw this.#unusable('', `it is about run ${runKey}, not about run ${this.#options.runKey}`)
  }

  #unusable(name: string, why: string): RunnerError {
    const path = join(this.directory.path, name)
    return new RunnerError(`Cannot use what stands in "${path}": ${why}`, { code: 'ERR_UNAVAILABLE' })
  }
}

function tooLate({ path }: PrivateDirectory, timeout: number, last: LastSight): RunnerError {
  const error = last.error === undefined ? '' : ` (at last: ${formatSystemError(last.error)})`
  return new RunnerError(
    `Cannot find the cluster: waited ${formatDuration(timeout)} for rank 0 to publish "${coordinatorName}" ` +
      `in "${path}", ${formatSight(last)}${error}`,
    { code: 'ERR_TIMED_OUT', cause: last.error },
  )
}

function formatSight({ names }: LastSight): string {
  if (names === undefined) return 'which never could be listed'
  if (names.length === 0) return 'where nothing was'
  const ranks = names.flatMap((name) => exitedPattern.exec(name)?.[1] ?? []).sort((a, b) => Number(a) - Number(b))
  const others = names.filter((name) => !exitedPattern.test(name)).map((name) => `"${name}"`)
  const ended = ranks.length === 0 ? [] : [`rank ${ranks.join(', ')} had ended`]
  return `where ${[...ended, ...(others.length === 0 ? [] : [`there was ${others.join(', ')}`])].join(', and ')}`
}
