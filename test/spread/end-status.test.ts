import { expect, test } from 'vitest'
import type { Exit } from '../../src/process/exit.ts'
import { clientAmong, endStatus } from '../../src/spread/end-status.ts'

const exits = (...ends: readonly (number | NodeJS.Signals)[]): Exit[] =>
  ends.map((end) =>
    typeof end === 'number'
      ? { status: end, signal: null, forced: false }
      : { status: null, signal: end, forced: true },
  )

test.each([
  ["is the client's", exits(0, 3, 0), 3],
  ["is the client's where a worker was lost", exits(0, 0, 255), 0],
  ['is 255 where the program has ended with that', exits(0, 255, 0), 255],
  ["is that of the failure where the client's rank was lost", exits(69, 255, 69), 69],
  ["is that of the failure where the client's rank had to be ended", exits(75, 'SIGKILL', 0), 75],
  ['is 69 where nobody has a word left', exits('SIGKILL', 'SIGKILL', 255), 69],
])('%s', (_, ends, status) => {
  expect(endStatus(ends, 1)).toBe(status)
})

test("the client's rank is 1, or 0 where that has it too or there is none", () => {
  const world = { size: 3, layout: 'exclusive', client: true, scheduler: true } as const
  expect(clientAmong(world)).toBe(1)
  expect(clientAmong({ ...world, size: 2 })).toBe(0)
  expect(clientAmong({ ...world, client: false })).toBe(0)
})
