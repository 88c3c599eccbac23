import type { ClusterRecord } from '../record/cluster-record.ts'
import { type FromHub, fromHubSchema, type ToHub } from './messages.ts'
import { openChannel } from './open-channel.ts'
import { SocketChannel } from './socket-channel.ts'

/**
 * Connects to process 0 a second time, for the beats alone.
 *
 * @returns undefined where that does not come about.
 */
export async function openSecondLine(
  record: ClusterRecord,
  { rank, signal }: { readonly rank: number; readonly signal?: AbortSignal },
): Promise<SocketChannel<FromHub, ToHub> | undefined> {
  const opened = await openChannel(record, { purpose: 'heartbeat', secret: record.secret, signal })
  if (typeof opened === 'string') return undefined
  const channel = new SocketChannel<FromHub, ToHub>(opened.frames, opened.session, fromHubSchema)
  channel.send({ type: 'pulse', rank })
  return channel
}
