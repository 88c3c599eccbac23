import { defaults } from '../defaults.ts'
import { RunnerError, messageOf } from '../errors.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import { deadline } from '../util/wait.ts'
import { type FromHub, fromHubSchema, type ToHub } from './messages.ts'
import { reachOwner, whyNotReached } from './reach.ts'
import { Wire } from './wire.ts'

/** A process's end of the control channel. */
export type Link = Wire<FromHub, ToHub>

/** Who joins. */
export interface JoinOptions {
  readonly rank: number
  readonly host: string
  readonly signal: AbortSignal
}

/**
 * Connects to process 0 of the run that `record` describes.
 *
 * @throws RunnerError ERR_UNAVAILABLE where it cannot be reached or is of another run.
 */
export async function joinControl(record: ClusterRecord, options: JoinOptions): Promise<Link> {
  const { rank, host, signal } = options
  const where = `process 0 on ${record.host}, port ${record.control.port}`
  const socket = await reachOwner(record, signal)
  signal.throwIfAborted()
  if (typeof socket === 'string')
    throw new RunnerError(`Cannot join ${where}: ${whyNotReached(record, socket)}`, { code: 'ERR_UNAVAILABLE' })
  const link: Link = new Wire(socket, fromHubSchema)
  try {
    link.send({ type: 'hello', run_key: record.run_key, secret: record.secret, rank, host, pid: process.pid })
    const answer = await deadline(
      link.next(),
      defaults.connectTimeout * 3,
      () => new Error('it does not answer'),
      signal,
    )
    if (answer.type !== 'welcome') throw new Error(answer.type === 'refused' ? answer.why : `it says ${answer.type}`)
    return link
  } catch (cause) {
    link.destroy()
    signal.throwIfAborted()
    throw new RunnerError(`Cannot join ${where}: ${messageOf(cause)}`, { code: 'ERR_UNAVAILABLE', cause })
  }
}
