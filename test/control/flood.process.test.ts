import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { joinControl } from '../../src/control/join.ts'
import { Mailbox } from '../../src/control/channel.ts'
import type { FromCoordinator, ToCoordinator } from '../../src/control/messages.ts'
import { type HeartbeatChannel, HeartbeatMonitor, withHeartbeat } from '../../src/control/heartbeat.ts'
import { joinRun } from '../../src/run/join-run.ts'
import { createLogger } from '../../src/logger.ts'
import { recordOf, startServer } from './support.ts'

/** Keeps 1,000 connections, of which half have said the first word, and makes each anew that is closed; counts them. */
const flood = `
const { connect } = require('node:net')
const content = JSON.stringify({ purpose: 'join', nonce: 'A'.repeat(43) })
const greeting = Buffer.concat([Buffer.of(0, 0, 0, content.length), Buffer.from(content)])
let made = 0
const open = () => {
  const socket = connect(Number(process.argv[1]), '127.0.0.1', () => {
    if (made % 2 === 0) socket.write(greeting)
    if (++made % 1000 === 0) console.log(made)
  })
  socket.resume().on('error', () => undefined).on('close', () => setImmediate(open))
}
for (let i = 0; i < 1000; i++) open()
`

/** Starts {@link flood} at a port; what is returned waits until so many connections have been made. */
function startFlood(port: number): (count: number) => Promise<void> {
  const stranger = spawn(process.execPath, ['-e', flood, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void stranger.kill('SIGKILL'))
  const counts = createInterface({ input: stranger.stdout })[Symbol.asyncIterator]()
  return async (count) => {
    while (Number((await counts.next()).value) < count);
  }
}

test('a flood of strangers neither keeps processes of the run out nor takes memory without end', async () => {
  let welcomed = 0
  const server = await startServer({
    size: 4,
    onMember: (peer) => {
      welcomed++
      peer.send({ type: 'welcome' })
    },
  })
  const record = await recordOf(server.port)
  const reach = startFlood(server.port)
  await reach(2_000)
  const before = process.memoryUsage().rss
  const { signal } = new AbortController()
  const logger = createLogger({ write: () => undefined })
  const joining = [1, 2, 3].map(async (rank) =>
    joinRun({
      lookUp: async (dead) => (dead.size === 0 ? { kind: 'coordinator', record } : await new Promise(() => undefined)),
      join: async (coordinator, patience, within) => {
        await joinControl(coordinator, { rank, host: 'node1', instance: String(rank), patience, signal: within })
      },
      ...{ limit: () => 60_000, logger, signal },
    }),
  )
  await Promise.all(joining)
  expect(welcomed).toBe(3)
  await reach(8_000)
  expect((process.memoryUsage().rss - before) / 1e6).toBeLessThan(100)
})

test('a flood of strangers takes neither heartbeats nor messages from those that have joined, nor all files of rank 0', async () => {
  const lostAfter = 2_000
  using monitor = new HeartbeatMonitor({ lostAfter })
  const channels: HeartbeatChannel<ToCoordinator | FromCoordinator, FromCoordinator | ToCoordinator>[] = []
  const server = await startServer({
    size: 4,
    onMember: (peer) => {
      const channel = withHeartbeat(peer, monitor)
      channels.push(channel)
      channel.send({ type: 'welcome' })
      // Rank 0 answers each with its own number.
      channel.onMessage((message) => {
        if (message.type !== 'await-workers') return
        channel.send({ type: 'workers', running: message.count ?? 0, wanted: message.count ?? 0 })
      })
    },
  })
  const record = await recordOf(server.port)
  const { signal } = new AbortController()
  const answers = await Promise.all(
    [1, 2, 3].map(async (rank) => {
      const link = await joinControl(record, { rank, host: 'node1', instance: String(rank), signal })
      const channel = withHeartbeat(link, monitor)
      channels.push(channel)
      const heard = new Mailbox<FromCoordinator>()
      channel.onMessage((message) => {
        heard.put(message)
      })
      return async (count: number): Promise<FromCoordinator | 'closed' | 'silent'> => {
        channel.send({ type: 'await-workers', count })
        return await Promise.race([heard.next(), channel.closed])
      }
    }),
  )
  const lost: string[] = []
  for (const channel of channels) void channel.closed.then((how) => lost.push(how))
  const files = async (): Promise<number> => (await readdir('/proc/self/fd')).length
  const before = await files()
  const reach = startFlood(server.port)
  await reach(1_000)
  const begin = performance.now()
  for (let count = 1; performance.now() - begin < 2 * lostAfter; count++) {
    for (const answer of answers)
      expect(await answer(count)).toEqual({ type: 'workers', running: count, wanted: count })
    expect(lost).toEqual([])
    // As many as may be proving themselves at once, and a few that are being closed or opened.
    expect((await files()) - before).toBeLessThan(700)
  }
  await reach(3_000)
  expect(lost).toEqual([])
  for (const channel of channels) channel.destroy()
})
