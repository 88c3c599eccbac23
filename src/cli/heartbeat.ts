import { isMainThread, workerData } from 'node:worker_threads'
import type { HeartbeatOrders } from '../run/heartbeat-orders.ts'
import { sendHeartbeats } from '../run/heartbeat-program.ts'

/** Sends the heartbeats of the process that this is a thread of. */
export async function runHeartbeatThread(): Promise<void> {
  if (isMainThread) throw new RangeError('Cannot send heartbeats for nobody: this is for a thread of a run')
  await sendHeartbeats(workerData as HeartbeatOrders)
}
