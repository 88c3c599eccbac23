import { defaults } from '../defaults.ts'
import { messageOf, RunnerError } from '../errors.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import { deadline } from '../util/wait.ts'
import { type FromHub, fromHubSchema, type ToHub } from './messages.ts'
import { openChannel, type WhyNot, whyNotOpen } from './open-channel.ts'
import { SocketChannel } from './socket-channel.ts'

/** A process's end of the control channel. */
export type Link = SocketChannel<FromHub, ToHub>

/** Who joins. */
export interface JoinOptions {
  readonly rank: number
  readonly host: string
  /** Tells this process from another one that claims its rank. */
  readonly instance: string
  /** How long a connection may take, and a third of the time that process 0 may take to prove itself. In milliseconds. @default 3 s */
  readonly patience?: number | undefined
  readonly signal: AbortSignal
}

/** Process 0, which has proved itself, does not take in this process. */
export class RefusedError extends RunnerError {}

/** Process 0 was not reached, or something else answers in its place. */
export class NotReachedError extends RunnerError {
  readonly why: WhyNot

  constructor(message: string, why: WhyNot) {
    super(message, { code: 'ERR_UNAVAILABLE' })
    this.why = why
  }
}

/** How long process 0 may take to welcome one who has proved himself. In milliseconds. */
const welcomeTimeout = 30_000

/**
 * Connects to process 0 of the run that `record` describes.
 *
 * @throws RefusedError where process 0 does not take this process in, NotReachedError where it is not reached,
 * RunnerError ERR_UNAVAILABLE where it goes away, or the signal's reason.
 */
export async function joinControl(record: ClusterRecord, options: JoinOptions): Promise<Link> {
  const { rank, host, instance, patience = defaults.connectTimeout, signal } = options
  const where = `process 0 on ${record.host}, port ${record.control.port}`
  const opened = await openChannel(record, {
    ...{ purpose: 'join', secret: record.secret, signal },
    ...{ connectTimeout: patience, answerTimeout: 3 * patience },
  })
  if (typeof opened === 'string')
    throw new NotReachedError(`Cannot join ${where}: ${whyNotOpen(record, opened)}`, opened)
  const link: Link = new SocketChannel(opened.frames, opened.session, fromHubSchema)
  try {
    link.send({ type: 'hello', rank, host, pid: process.pid, instance })
    const late = (): Error => new Error('it does not answer')
    const answer = await deadline(link.next(), welcomeTimeout, late, signal)
    if (answer.type === 'refused')
      throw new RefusedError(`Cannot join ${where}: ${answer.why}`, { code: 'ERR_UNAVAILABLE' })
    if (answer.type !== 'welcome') throw new Error(`it says ${answer.type}`)
    link.send({ type: 'here' })
    return link
  } catch (cause) {
    link.destroy()
    signal.throwIfAborted()
    if (cause instanceof RefusedError) throw cause
    throw new RunnerError(`Cannot join ${where}: ${messageOf(cause)}`, { code: 'ERR_UNAVAILABLE', cause })
  }
}
