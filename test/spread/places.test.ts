import { expect, test } from 'vitest'
import { identifySystem } from '../../src/runners/variables/identify-system.ts'
import { parseNodeFile } from '../../src/spread/node-file.ts'
import { isThisHost, placesOf, variablesOf } from '../../src/spread/places.ts'

const hosts = parseNodeFile('a 4 q@a UNDEFINED\nb 2 q@b UNDEFINED\n', 'F')
const words = { job: '17', runId: 'x', slotsAreCpus: true }
const identities = (per: 'host' | 'slot') =>
  placesOf(hosts, per).map((place) => identifySystem(variablesOf(place, words), { runner: 'spread', runId: 'x' }, 'h'))

test('has one rank on each host, with the CPUs of its slots', () => {
  expect(identities('host')).toMatchObject([
    { rank: 0, size: 2, nodes: 2, share: { processes: 1, localRank: 0, cpus: [{ amount: 4 }] } },
    { rank: 1, size: 2, nodes: 2, share: { processes: 1, localRank: 0, cpus: [{ amount: 2 }] } },
  ])
  expect(identities('host')[1]?.runKey).toEqual({ cluster: 'spread', jobId: '17', stepId: 'x', restart: 0 })
})

test('has one rank for each slot, those of a host one after another', () => {
  const all = identities('slot')
  expect(all.map(({ rank, share }) => [rank, share.localRank, share.processes, share.cpus?.[0]?.amount])).toEqual([
    [0, 0, 4, 1],
    [1, 1, 4, 1],
    [2, 2, 4, 1],
    [3, 3, 4, 1],
    [4, 0, 2, 1],
    [5, 1, 2, 1],
  ])
})

test.each([
  ['node1', 'node1.site', true],
  ['node1.site', 'node1', true],
  ['NODE1', 'node1', true],
  ['node1.a', 'node1.b', false],
  ['node10', 'node1', false],
  ['localhost', 'node1', true],
])('host %s is this one where that is called %s: %s', (name, own, is) => {
  expect(isThisHost(name, own)).toBe(is)
})
