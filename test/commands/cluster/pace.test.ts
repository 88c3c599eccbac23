import { expect, it } from 'vitest'
import { Pace } from '../../../src/commands/cluster/pace.ts'

const { signal } = new AbortController()

/** When each of so many turns came, in milliseconds. */
async function turns(pace: Pace, count: number): Promise<number[]> {
  const began = performance.now()
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    await pace.turn(signal)
    times.push(performance.now() - began)
  }
  return times
}

it('lets so many go at once, and then one each 100 ms', async () => {
  const [, , third, fourth, fifth] = await turns(new Pace(3), 5)
  expect(third).toBeLessThan(90)
  expect(fourth).toBeGreaterThanOrEqual(99)
  expect(fifth).toBeGreaterThanOrEqual(199)
})

it('lets the first wait where another process has just asked', async () => {
  const [first] = await turns(new Pace(0), 1)
  expect(first).toBeGreaterThanOrEqual(99)
})

it('lets those wait for longer that come after one which was made at once', async () => {
  const pace = new Pace(1)
  pace.owe()
  pace.owe()
  const [first] = await turns(pace, 1)
  expect(first).toBeGreaterThanOrEqual(199)
})

it('waits until several may be made', async () => {
  const pace = new Pace(1)
  const began = performance.now()
  await pace.turn(signal, 3)
  expect(performance.now() - began).toBeGreaterThanOrEqual(199)
})
