import { writeSync } from 'node:fs'
import { parentPort, isMainThread, workerData } from 'node:worker_threads'
import type { Channel } from '../control/channel.ts'
import { HeartbeatMonitor, withHeartbeat } from '../control/heartbeat.ts'
import { openHeartbeatChannel } from '../control/join.ts'
import type { FromCoordinator, ToCoordinator } from '../control/messages.ts'
import { ControlServer } from '../control/server.ts'
import { isLoopback } from '../util/network.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import { sleep } from '../util/wait.ts'
import type { HeartbeatOrders } from './heartbeat-thread.ts'

/**
 * Sends the heartbeats of a process whose own loop runs the user's code, in a thread of it. In rank 0 it listens
 * on a port of its own, which it reports; elsewhere it connects to rank 0, and kills this process
 * if the run is over and the program does not end.
 */
export async function sendHeartbeats(orders: HeartbeatOrders): Promise<void> {
  const monitor = new HeartbeatMonitor({ lostAfter: orders.lostAfter })
  if (orders.rank === 0) await listen(orders.record, monitor)
  else await accompany(orders, monitor)
}

async function listen({ run_key, nonce, secret, control }: ClusterRecord, monitor: HeartbeatMonitor): Promise<void> {
  const server = await ControlServer.listen({
    runKey: run_key,
    nonce,
    secret,
    ...(control.addresses.every(isLoopback) ? { host: '127.0.0.1' } : {}),
    onMember: (peer) => {
      peer.end()
    },
    onHeartbeatChannel: (peer) => {
      withHeartbeat(peer, monitor).onMessage(() => undefined)
    },
  })
  parentPort?.postMessage({ port: server.port })
}

async function accompany(
  { record, rank, patience, prefix }: HeartbeatOrders,
  monitor: HeartbeatMonitor,
): Promise<void> {
  const opened = await openHeartbeatChannel(record, rank)
  if (opened === undefined) return
  // This process has joined rank 0 at that port: if nothing listens there any more, the run is over.
  if (opened !== 'refused') await untilOver(withHeartbeat(opened, monitor))
  await sleep(patience)
  writeSync(2, `${prefix} error: the run is over and the program does not end: it is killed\n`)
  process.kill(process.pid, 'SIGKILL')
}

async function untilOver(channel: Channel<FromCoordinator, ToCoordinator>): Promise<void> {
  await new Promise<void>((resolve) => {
    channel.onMessage((message) => {
      if (message.type === 'end') resolve()
    })
    void channel.closed.then(() => {
      resolve()
    })
  })
}

/** Sends the heartbeats of the process that this is a thread of. */
export async function runHeartbeatThread(): Promise<void> {
  if (isMainThread) throw new RangeError('Cannot send heartbeats for nobody: this is for a thread of a run')
  await sendHeartbeats(workerData as HeartbeatOrders)
}
