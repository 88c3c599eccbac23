import { RefusedError } from '../control/join.ts'
import { messageOf, RunnerError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import { type Found, gathererOf } from '../record/found.ts'
import { sleep } from '../util/wait.ts'

/** Time between two attempts to join a process 0 that did not answer. In milliseconds. */
const joinInterval = 1_000

/** How a process meets process 0. */
export interface MeetOptions {
  /** Waits for what process 0 publishes; records with a nonce in `dead` are known not to answer. */
  readonly lookUp: (dead: ReadonlySet<string>, signal: AbortSignal) => Promise<Found>
  readonly join: (gatherer: ClusterRecord, signal: AbortSignal) => Promise<void>
  readonly logger: Logger
  /** Aborts when this process has to end. */
  readonly signal: AbortSignal
  /** Milliseconds. @default 1 s */
  readonly joinInterval?: number
}

/** What came of it. */
export interface Meeting {
  /** Process 0 has been joined, unless this is an outcome. */
  readonly found: Found
  /** Why a process 0 that has ended since could not be joined. */
  readonly unanswered?: unknown
}

interface Unanswered {
  readonly found: Found
  readonly gatherer: ClusterRecord
  readonly error: unknown
}

/**
 * Looks process 0 up and joins it. A record that does not answer may be of an earlier run of the same
 * key: process 0 then replaces it. Or the network may be gone for a moment: so it is asked again, too.
 *
 * @throws why process 0 cannot be joined, what `lookUp` throws, or the signal's reason.
 */
export async function meet(options: MeetOptions): Promise<Meeting> {
  const { lookUp, join, logger, signal } = options
  const dead = new Set<string>()
  let unanswered: Unanswered | undefined
  for (;;) {
    const met: Met =
      unanswered === undefined
        ? { found: await lookUp(dead, signal), joined: false }
        : await newerOrAnswering(unanswered, dead, options)
    const { found, joined } = met
    const gatherer = gathererOf(found)
    if (joined) return { found }
    if (gatherer === undefined) return { found, unanswered: unanswered?.error }
    try {
      await join(gatherer, signal)
      return { found }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof RefusedError) throw error
      // The one that did not answer before may have been of an earlier run.
      if (found.kind === 'outcome')
        return { found, unanswered: gatherer.nonce === unanswered?.gatherer.nonce ? unanswered.error : undefined }
      if (dead.has(gatherer.nonce)) throw error
      dead.add(gatherer.nonce)
      unanswered = { found, gatherer, error }
      logger.warn(`${messageOf(error)}; asking again, and waiting for a newer record`)
    }
  }
}

interface Met {
  readonly found: Found
  readonly joined: boolean
}

/** A newer record, or the same one once process 0 has answered and is joined. */
async function newerOrAnswering(
  { found, gatherer, error }: Unanswered,
  dead: ReadonlySet<string>,
  options: MeetOptions,
): Promise<Met> {
  const over = new AbortController()
  const signal = AbortSignal.any([options.signal, over.signal])
  const newer = options.lookUp(dead, signal).then(
    (other) => ({ found: other, joined: false }),
    (late: unknown) => {
      // No newer record has come: the one that was there was this run's.
      throw late instanceof RunnerError && late.code === 'ERR_TIMED_OUT' ? error : late
    },
  )
  const answering = joinAgain(gatherer, signal, options)
  const joined = answering.then(async (answered) => (answered ? { found, joined: true } : await newer))
  try {
    const first = await Promise.race([newer, joined])
    if (first.joined) return first
  } finally {
    over.abort(new Error('this is no longer waited for'))
    newer.catch(() => undefined)
    joined.catch(() => undefined)
  }
  // It may have answered in the same moment.
  return (await answering) ? { found, joined: true } : await newer
}

/** Whether process 0 was joined before `signal` aborted. */
async function joinAgain(
  gatherer: ClusterRecord,
  signal: AbortSignal,
  { join, joinInterval: interval = joinInterval }: MeetOptions,
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await sleep(interval, signal)
      await join(gatherer, signal)
      return true
    } catch (error) {
      if (error instanceof RefusedError) throw error
      // Not yet.
    }
  }
  return false
}
