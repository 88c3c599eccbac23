import { expect, it } from 'vitest'
import type { FromCoordinator } from '../../src/control/messages.ts'
import { Deputy } from '../../src/run/deputy.ts'

/** Ranks of which each comes in its turn, with the deputies that it is told. */
function ranks(...hosts: readonly string[]) {
  return hosts.map((host, i) => {
    const told: number[] = []
    const send = (message: FromCoordinator): unknown => message.type === 'deputy' && told.push(message.rank)
    return { rank: i + 1, host, told, channel: { send } }
  })
}

it.each([
  ['is the lowest rank', ranks('b', 'c', 'd'), [3, 1, 2], 1],
  ["is on another host than rank 0's, which may be lost as a whole", ranks('a', 'b', 'b'), [1, 3, 2], 2],
  ['is on the same host if all are', ranks('a', 'a'), [2, 1], 1],
])('the deputy of rank 0 %s, and each rank knows it', (_, all, order, rank) => {
  const here: (typeof all)[number][] = []
  const deputy = new Deputy('a', () => here)
  for (const coming of order) {
    const joined = all[coming - 1]
    if (joined === undefined) continue
    here.push(joined)
    deputy.appoint(joined)
  }
  expect(all.map(({ told }) => told.at(-1))).toEqual(all.map(() => rank))
})

it('if it has gone, the next one takes its place', () => {
  const [one, two] = ranks('a', 'a')
  let here = [one, two].filter((each) => each !== undefined)
  const deputy = new Deputy('a', () => here)
  deputy.appoint()
  here = here.slice(1)
  deputy.appoint()
  deputy.appoint()
  expect(two?.told).toEqual([1, 2])
})
