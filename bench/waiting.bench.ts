// Real processes of one host that wait at their gates on a tmpfs: from publication to the last gate, and
// what waiting costs.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { defaultPollInterval, longestNotice } from '../src/rendezvous/file/watch.ts'
import { bareGates } from './support/bare-gates.ts'
import { note } from './support/results.ts'
import { medianOf, table } from './support/table.ts'
import { Waiters } from './support/waiters.ts'

const sizes = [4, 16, 64] as const
const rounds = 3
/** From publication to the last of 64 gates with events, in milliseconds. */
const limit = 50
const crowd = 256
/** For so long they are watched, in milliseconds. */
const watched = 10_000
/** CPU of a waiting process, as a share of a core. */
const mostCpu = 0.01

test('from publication to the last gate, on a tmpfs', async () => {
  const rows: [string, number[]][] = []
  const joined: [string, number[]][] = []
  const modes = ['events', 'poll'] as const
  for (const size of sizes) {
    const times = { events: [] as number[], poll: [] as number[] }
    for (let round = 0; round < rounds; round++)
      for (const watch of modes) times[watch].push(await bareGates(size, watch))
    for (const watch of modes) rows.push([`${size} processes, ${watch}`, times[watch]])
    await using waiters = await Waiters.start(size, 'events')
    joined.push([`${size} processes, events`, [await waiters.publish()]])
  }
  const text =
    table(`From publication to the last gate, milliseconds, ${rounds} rounds`, rows) +
    table('From publication to the last process that has joined rank 0, milliseconds', joined)
  process.stdout.write(text)
  await note('waiting-gates', { text, rows, joined })
  const [events = [], poll = []] = rows.slice(-2).map(([, times]) => times)
  expect.soft(medianOf(events)).toBeLessThan(limit)
  expect.soft(medianOf(poll)).toBeLessThan(longestNotice(defaultPollInterval(1)) + limit)
})

test(`${crowd} waiting processes`, async () => {
  await using waiters = await Waiters.start(crowd, 'auto')
  await sleep(5_000)
  const before = await waiters.cpu()
  await sleep(watched)
  const after = await waiters.cpu()
  const shares = after.map((seconds, i) => ((seconds - (before[i] ?? 0)) * 1000) / watched)
  const memory = await waiters.memory()
  const last = await waiters.publish()
  const text = [
    table(`${crowd} waiting processes, each`, [
      ['millionths of a core', shares.map((share) => share * 1e6)],
      ['memory, MB (PSS)', memory.map((bytes) => bytes / 1e6)],
    ]),
    `All of them: ${shares.reduce((sum, share) => sum + share, 0).toFixed(2)} cores; the last joins ${last.toFixed(0)} ms after publication\n`,
  ].join('')
  process.stdout.write(text)
  await note('waiting-crowd', { text, shares, memory, last })
  expect(medianOf(shares)).toBeLessThan(mostCpu)
})
