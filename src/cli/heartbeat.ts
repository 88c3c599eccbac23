import { isMainThread, workerData } from 'node:worker_threads'
import type { PulseOrders } from '../run/heartbeat-orders.ts'
import { beat } from '../run/heartbeat-program.ts'

/** Beats for the process that this is a thread of. */
export async function runPulse(): Promise<void> {
  if (isMainThread) throw new RangeError('Cannot beat for nobody: this is for a thread of a run')
  await beat(workerData as PulseOrders)
}
