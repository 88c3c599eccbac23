import { writeSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { Pulse, withPulse } from '../control/heartbeat.ts'
import { openSecondLine } from '../control/second-channel.ts'
import { ControlServer } from '../control/server.ts'
import { isLoopback } from '../util/network.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import { sleep } from '../util/wait.ts'
import type { PulseOrders } from './heartbeat-orders.ts'

/**
 * Beats for a process whose own loop runs the user's code, in a thread of it. In process 0 it listens
 * on a port of its own, which it reports; elsewhere it connects to process 0, and kills this process
 * where the run is over and the body does not end.
 */
export async function beat(orders: PulseOrders): Promise<void> {
  const pulse = new Pulse({ lostAfter: orders.lostAfter })
  if (orders.rank === 0) await listen(orders.record, pulse)
  else await accompany(orders, pulse)
}

async function listen({ run_key, nonce, secret, control }: ClusterRecord, pulse: Pulse): Promise<void> {
  const server = await ControlServer.listen({
    runKey: run_key,
    nonce,
    secret,
    ...(control.addresses.every(isLoopback) ? { host: '127.0.0.1' } : {}),
    onPeer: (peer) => {
      peer.end()
    },
    onPulse: (peer) => {
      withPulse(peer, pulse).onMessage(() => undefined)
    },
  })
  parentPort?.postMessage({ port: server.port })
}

async function accompany({ record, rank, patience, prefix }: PulseOrders, pulse: Pulse): Promise<void> {
  const wire = await openSecondLine(record, { rank })
  if (wire === undefined) return
  const line = withPulse(wire, pulse)
  const over = new Promise<void>((resolve) => {
    line.onMessage((message) => {
      if (message.type === 'end') resolve()
    })
    void line.closed.then(() => {
      resolve()
    })
  })
  await over
  await sleep(patience)
  writeSync(2, `${prefix} error: the run is over and the program does not end: it is killed\n`)
  process.kill(process.pid, 'SIGKILL')
}
