// Many processes of a run in one: joins a control channel COUNT times, beats, and says when all have
// joined and when all were told of the end. The record comes on standard input.
import { readFileSync } from 'node:fs'
import { joinControl } from '../../src/control/join.ts'
import { HeartbeatMonitor, withHeartbeat } from '../../src/control/heartbeat.ts'
import type { ClusterRecord } from '../../src/record/cluster-record.ts'

const record = JSON.parse(readFileSync(0, 'utf8')) as ClusterRecord
const count = Number(process.argv.at(-1))
const { signal } = new AbortController()
const monitor = new HeartbeatMonitor({ lostAfter: 20_000 })
const began = performance.now()
let told = 0
await Promise.all(
  Array.from({ length: count }, async (_, i) => {
    const link = await joinControl(record, { rank: i + 1, host: `node${i >> 4}`, instance: String(i), signal })
    const channel = withHeartbeat(link, monitor)
    channel.onMessage(({ type }) => {
      if (type === 'end' && ++told === count) {
        process.stdout.write('told\n')
        process.exit(0)
      }
    })
  }),
)
process.stdout.write(`joined ${performance.now() - began}\n`)
