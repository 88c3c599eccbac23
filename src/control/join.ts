import { defaults } from '../defaults.ts'
import { messageOf, RunnerError } from '../errors.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import { deadline, sleep } from '../util/wait.ts'
import { formatRank0, notReached, openChannel, type Rank0SocketChannel } from './open-channel.ts'

/** Who joins. */
export interface JoinOptions {
  readonly rank: number
  readonly host: string
  /** Tells this process from another one that claims its rank. */
  readonly instance: string
  /** How long a connection may take, and a third of the time that rank 0 may take to prove itself. In milliseconds. @default 3 s */
  readonly patience?: number | undefined
  readonly signal: AbortSignal
}

/** Rank 0, which has proved itself, does not take in this process. */
export class RefusedError extends RunnerError {}

/** How long rank 0 may take to welcome whoever has proved himself. */
const welcomeMs = 30_000

/**
 * Connects to rank 0 of the run that `record` describes.
 *
 * @throws RefusedError if rank 0 does not take this process in, NotReachedError if it is not reached,
 * RunnerError ERR_UNAVAILABLE if it goes away, or the signal's reason.
 */
export async function joinControl(record: ClusterRecord, options: JoinOptions): Promise<Rank0SocketChannel> {
  const { rank, host, instance, patience = defaults.connectTimeout, signal } = options
  const opened = await openChannel(record, {
    ...{ purpose: 'join', secret: record.secret, signal },
    ...{ connectTimeout: patience, answerTimeout: 3 * patience },
    hello: { type: 'hello', rank, host, pid: process.pid, instance },
  })
  if (typeof opened === 'string') throw notReached('join', record, opened)
  try {
    const late = (): Error => new Error('it does not answer')
    const answer = await deadline(opened.next(), welcomeMs, late, signal)
    if (answer.type === 'refused')
      throw new RefusedError(`Cannot join ${formatRank0(record)}: ${answer.why}`, { code: 'ERR_UNAVAILABLE' })
    if (answer.type !== 'welcome') throw new Error(`it says ${answer.type}`)
    opened.send({ type: 'here' })
    return opened
  } catch (cause) {
    opened.destroy()
    signal.throwIfAborted()
    if (cause instanceof RefusedError) throw cause
    throw new RunnerError(`Cannot join ${formatRank0(record)}: ${messageOf(cause)}`, { code: 'ERR_UNAVAILABLE', cause })
  }
}

/** So often a second channel is tried, and between two tries, one time longer after each. In milliseconds. */
const [attempts, pauseMs] = [5, 1_000]

/**
 * Connects to rank 0 a second time, for heartbeats alone. Without it a process counts as lost while its loop is busy.
 *
 * @param signal ends the tries: nobody needs it any more
 * @returns 'refused' if nothing listens there any more, undefined if it is not reached.
 */
export async function openHeartbeatChannel(
  record: ClusterRecord,
  rank: number,
  signal?: AbortSignal,
): Promise<Rank0SocketChannel | 'refused' | undefined> {
  const hello = { type: 'heartbeat-channel', rank } as const
  for (let attempt = 1; ; attempt++) {
    const opened = await openChannel(record, { purpose: 'heartbeat', secret: record.secret, hello, signal })
    // A slow network, or a port that is flooded, may pass; a rank 0 that has ended does not come back.
    if (typeof opened !== 'string' || opened === 'refused') return opened
    if (attempt === attempts) return undefined
    await sleep(attempt * pauseMs, signal)
  }
}
