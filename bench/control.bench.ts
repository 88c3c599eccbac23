// Rank 0's end of the control channel with 5,000 simulated processes on loopback: what joining, beating
// and the end cost it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { type HeartbeatChannel, HeartbeatMonitor, withHeartbeat } from '../src/control/heartbeat.ts'
import type { FromCoordinator, ToCoordinator } from '../src/control/messages.ts'
import { networkName } from '../src/util/network.ts'
import { ControlServer } from '../src/control/server.ts'
import { defaults } from '../src/defaults.ts'
import { note } from './support/results.ts'

const count = 5_000
const beating = 10_000

test(`${count} processes on one control channel`, async () => {
  const channels: HeartbeatChannel<ToCoordinator, FromCoordinator>[] = []
  let lost = 0
  using monitor = new HeartbeatMonitor({ lostAfter: defaults.lostAfter })
  const identity = { run_key: 'bench', nonce: 'n', secret: 's' }
  await using server = await ControlServer.listen({
    runKey: 'bench',
    nonce: 'n',
    secret: 's',
    host: '127.0.0.1',
    size: count,
    onMember: (peer) => {
      peer.send({ type: 'welcome' })
      const channel = withHeartbeat(peer, monitor)
      channel.onMessage(() => undefined)
      void channel.closed.then(() => lost++)
      channels.push(channel)
    },
  })
  const control = { addresses: ['127.0.0.1'], port: server.port, network: await networkName() }
  const entry = join(import.meta.dirname, 'support/peers-program.ts')
  const bundled = await build({
    ...{ entryPoints: [entry], bundle: true, write: false, platform: 'node', format: 'esm', target: 'node20' },
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
  })
  const text = bundled.outputFiles[0]?.text ?? ''
  const peers = spawn(process.execPath, ['--input-type=module', '--eval', text, '--', String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(peers, 'exit')
  try {
    const said = createInterface({ input: peers.stdout })[Symbol.asyncIterator]()
    const record = { version: 1, ...identity, host: 'node0', pid: process.pid, control, n_workers: count }
    let cpu = process.cpuUsage()
    peers.stdin.end(JSON.stringify(record))
    const joined = String((await said.next()).value)
    expect(joined).toMatch(/^joined /)
    const joining = spent(cpu)
    cpu = process.cpuUsage()
    await sleep(beating)
    const beats = spent(cpu) / beating
    const lostWhileBeating = lost
    cpu = process.cpuUsage()
    const began = performance.now()
    for (const channel of channels) channel.send({ type: 'end', status: 0, forced: false })
    expect((await said.next()).value).toBe('told')
    const figures = {
      joinMs: Number(joined.split(' ')[1]),
      joinCpuMs: joining,
      beatsShareOfCore: beats,
      endMs: performance.now() - began,
      endCpuMs: spent(cpu),
    }
    const text = `${count} processes: ${JSON.stringify(figures)}\n`
    process.stdout.write(text)
    await note('control', { text, count, ...figures })
    expect(channels).toHaveLength(count)
    expect(lostWhileBeating).toBe(0)
  } finally {
    peers.kill('SIGKILL')
    await ended
  }
})

/** CPU time of this process since then, in milliseconds. */
function spent(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}
