import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { joinControl } from '../../src/control/join.ts'
import { meet } from '../../src/runner/meet.ts'
import { createLogger } from '../../src/logger.ts'
import { recordOf, startServer } from '../control/support.ts'

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

test('a flood of strangers neither keeps processes of the run out nor takes memory without end', async () => {
  let welcomed = 0
  const server = await startServer({
    size: 4,
    onPeer: (peer) => {
      welcomed++
      peer.send({ type: 'welcome' })
    },
  })
  const record = await recordOf(server.port)
  const stranger = spawn(process.execPath, ['-e', flood, String(server.port)], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void stranger.kill('SIGKILL'))
  const counts = createInterface({ input: stranger.stdout })[Symbol.asyncIterator]()
  const reach = async (count: number): Promise<void> => {
    while (Number((await counts.next()).value) < count);
  }
  await reach(2_000)
  const before = process.memoryUsage().rss
  const { signal } = new AbortController()
  const logger = createLogger({ write: () => undefined })
  const joining = [1, 2, 3].map(async (rank) =>
    meet({
      lookUp: async (dead) => (dead.size === 0 ? { kind: 'gatherer', record } : await new Promise(() => undefined)),
      join: async (gatherer, patience, within) => {
        await joinControl(gatherer, { rank, host: 'node1', instance: String(rank), patience, signal: within })
      },
      ...{ limit: () => 60_000, logger, signal },
    }),
  )
  await Promise.all(joining)
  expect(welcomed).toBe(3)
  await reach(8_000)
  expect((process.memoryUsage().rss - before) / 1e6).toBeLessThan(100)
}, 60_000)
