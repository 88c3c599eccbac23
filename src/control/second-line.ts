import { defaults } from '../defaults.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import { deadline } from '../util/wait.ts'
import { type FromHub, fromHubSchema, type ToHub } from './messages.ts'
import { reachOwner } from './reach.ts'
import { Wire } from './wire.ts'

/**
 * Connects to process 0 a second time, for the beats alone.
 *
 * @returns undefined where that does not come about.
 */
export async function openSecondLine(
  record: ClusterRecord,
  { rank, signal }: { readonly rank: number; readonly signal?: AbortSignal },
): Promise<Wire<FromHub, ToHub> | undefined> {
  const socket = await reachOwner(record, signal)
  if (typeof socket === 'string') return undefined
  const wire = new Wire<FromHub, ToHub>(socket, fromHubSchema)
  try {
    wire.send({ type: 'pulse', run_key: record.run_key, secret: record.secret, rank })
    const answer = await deadline(wire.next(), defaults.connectTimeout, () => new Error('no answer'), signal)
    if (answer.type === 'welcome') return wire
  } catch {
    // The first line does without it.
  }
  wire.destroy()
  return undefined
}
