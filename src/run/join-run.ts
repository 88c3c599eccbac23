import { longestTimer } from '../util/duration.ts'
import { RefusedError } from '../control/join.ts'
import { defaults } from '../defaults.ts'
import { messageOf, RunnerError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import { type Found, coordinatorOf } from '../rendezvous/found.ts'
import { monotonic } from '../util/monotonic.ts'
import { sleep } from '../util/wait.ts'

/** Time between two attempts to join a rank 0 that was not joined: a part of it at random. In milliseconds. */
const [firstPause, longestPause] = [1_000, 5_000]
/** How long the connection of an attempt may take: longer each time, for a slow network. In milliseconds. */
const longestPatience = 10_000

/** How a process meets rank 0. */
export interface JoinRunOptions {
  /** Waits for what rank 0 publishes; records with a nonce in `dead` are known not to answer. */
  readonly lookUp: (dead: ReadonlySet<string>, signal: AbortSignal) => Promise<Found>
  /** @param patience how long the connection may take, in milliseconds */
  readonly join: (coordinator: ClusterRecord, patience: number, signal: AbortSignal) => Promise<void>
  /** How long a rank 0 is tried that cannot be joined for this reason. In milliseconds. */
  readonly limit: (why: unknown) => number
  readonly logger: Logger
  /** Aborts when this process has to end. */
  readonly signal: AbortSignal
  /** Milliseconds. @default 1 s */
  readonly firstPause?: number
  /** Milliseconds from any fixed moment. @default monotonic */
  readonly now?: () => number
}

/** What came of it. */
export interface JoinedRun {
  /** Rank 0 has been joined, unless this is an outcome. */
  readonly found: Found
  /** Why a rank 0 that has ended since could not be joined. */
  readonly whyNotJoined?: unknown
}

interface FailedJoin {
  readonly found: Found
  readonly coordinator: ClusterRecord
  readonly error: unknown
  /** When it was tried first. */
  readonly since: number
}

/**
 * Looks rank 0 up and joins it. A record that does not answer may be of an earlier run of the same
 * key: rank 0 then replaces it. Or the network may be slow, or gone for a moment: so it is asked again, too.
 *
 * @throws why rank 0 cannot be joined, what `lookUp` throws, or the signal's reason.
 */
export async function joinRun(options: JoinRunOptions): Promise<JoinedRun> {
  const { lookUp, join, logger, signal, now = monotonic } = options
  const dead = new Set<string>()
  let failed: FailedJoin | undefined
  for (;;) {
    const attempt: JoinAttempt =
      failed === undefined
        ? { found: await lookUp(dead, signal), joined: false }
        : await newerOrAnswering(failed, dead, options)
    const { found, joined } = attempt
    const coordinator = coordinatorOf(found)
    if (joined) return { found }
    if (coordinator === undefined) return { found, whyNotJoined: failed?.error }
    const since = now()
    try {
      await join(coordinator, patienceOf(1), signal)
      return { found }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof RefusedError) throw error
      // The one that did not answer before may have been of an earlier run.
      if (found.kind === 'outcome')
        return { found, whyNotJoined: coordinator.nonce === failed?.coordinator.nonce ? failed.error : undefined }
      if (dead.has(coordinator.nonce)) throw error
      dead.add(coordinator.nonce)
      failed = { found, coordinator, error, since }
      if (options.limit(error) > 0) tellOfTry(`${messageOf(error)}; asking again`, logger)
    }
  }
}

/** All who wait for a rank 0 that does not answer find that out at once: those tell it who tell how the run goes. */
function tellOfTry(message: string, logger: Logger): void {
  if (logger.speaks) logger.warn(message)
  else logger.detail(message)
}

interface JoinAttempt {
  readonly found: Found
  readonly joined: boolean
}

/** A newer record, or the same one once rank 0 has answered and is joined. */
async function newerOrAnswering(
  failed: FailedJoin,
  dead: ReadonlySet<string>,
  options: JoinRunOptions,
): Promise<JoinAttempt> {
  const over = new AbortController()
  const signal = AbortSignal.any([options.signal, over.signal])
  const newer = options.lookUp(dead, signal).then(
    (found) => ({ found, joined: false }),
    (late: unknown) => {
      // No newer record has come: the one that was there was this run's.
      throw late instanceof RunnerError && late.code === 'ERR_TIMED_OUT' ? failed.error : late
    },
  )
  const answering = joinAgain(failed, signal, options).then(() => ({ found: failed.found, joined: true }))
  try {
    const first = await Promise.race([newer, answering])
    if (first.joined) return first
  } finally {
    over.abort(new Error('this is no longer waited for'))
    newer.catch(() => undefined)
    answering.catch(() => undefined)
  }
  // It may have answered in the same moment.
  return await answering.catch(async () => await newer)
}

/** @throws why rank 0 could not be joined for as long as is right for that reason, or the signal's reason. */
async function joinAgain(
  { coordinator, error, since }: FailedJoin,
  signal: AbortSignal,
  { join, limit, firstPause: first = firstPause, now = monotonic }: JoinRunOptions,
): Promise<void> {
  let last = error
  for (let attempt = 2; ; attempt++) {
    if (limit(last) <= now() - since) throw last
    await sleep(Math.min(longestPause, first * 1.5 ** (attempt - 2)) * (0.5 + Math.random()), signal)
    const late = AbortSignal.timeout(Math.min(longestTimer, Math.max(1, Math.ceil(limit(last) - (now() - since)))))
    try {
      await join(coordinator, patienceOf(attempt), AbortSignal.any([signal, late]))
      return
    } catch (failed) {
      signal.throwIfAborted()
      if (failed instanceof RefusedError) throw failed
      if (!late.aborted) last = failed
    }
  }
}

function patienceOf(attempt: number): number {
  return Math.min(longestPatience, defaults.connectTimeout * 2 ** (attempt - 1))
}
