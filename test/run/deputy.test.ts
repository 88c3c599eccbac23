import { expect, it } from 'vitest'
import { appointDeputy } from '../../src/run/deputy.ts'

const on = (host: string, rank: number) => ({ host, rank })

it.each([
  ['is the lowest rank', [on('b', 3), on('c', 1), on('d', 2)], 1],
  ["is on another host than rank 0's, which may be lost as a whole", [on('a', 1), on('b', 3), on('b', 2)], 2],
  ['is on the same host if all are', [on('a', 2), on('a', 1)], 1],
  ['is nobody if nobody is there', [], undefined],
])('the deputy of rank 0 %s', (_, present, rank) => {
  expect(appointDeputy(present, 'a')?.rank).toBe(rank)
})
