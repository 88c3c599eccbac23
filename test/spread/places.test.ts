import { expect, test } from 'vitest'
import { formatRunKey } from '../../src/identity/run-key.ts'
import { completeOptions } from '../../src/options.ts'
import { identifySystem } from '../../src/runners/variables/identify-system.ts'
import { parseNodeFile } from '../../src/runners/node-file.ts'
import { formatPlaces, isThisHost, placesOf, runWords, variablesOf } from '../../src/spread/places.ts'

const hosts = parseNodeFile('a 4 q@a UNDEFINED\nb 2 q@b UNDEFINED\n')
const words = { job: '17', step: 'x', slotsAreCpus: true }
const options = { ...completeOptions({}), runner: 'spread' } as const
const identities = async (per: 'host' | 'slot') =>
  Promise.all(placesOf(hosts, per).map(async (place) => identifySystem(variablesOf(place, words), options, 'h')))

test('has one rank on each host, with the CPUs of its slots', async () => {
  const all = await identities('host')
  expect(all).toMatchObject([
    { rank: 0, size: 2, nodes: 2, share: { processes: 1, localRank: 0, cpus: [{ amount: 4 }] } },
    { rank: 1, size: 2, nodes: 2, share: { processes: 1, localRank: 0, cpus: [{ amount: 2 }] } },
  ])
  expect(all[1]?.runKey).toEqual({ cluster: 'spread', jobId: '17', stepId: 'x', restart: 0 })
})

test('has one rank for each slot, those of a host one after another', async () => {
  const all = await identities('slot')
  expect(all.map(({ rank, share }) => [rank, share.localRank, share.processes, share.cpus?.[0]?.amount])).toEqual([
    [0, 0, 4, 1],
    [1, 1, 4, 1],
    [2, 2, 4, 1],
    [3, 3, 4, 1],
    [4, 0, 2, 1],
    [5, 1, 2, 1],
  ])
})

test('says how many ranks are on how many hosts', () => {
  expect(formatPlaces(placesOf(hosts, 'slot'))).toBe('6 ranks on 2 hosts')
  expect(formatPlaces(placesOf(hosts.slice(0, 1), 'host'))).toBe('1 rank on 1 host')
})

test.each([
  ['slot', 'a 4000\nb 97\n', 'Cannot start 4097 ranks, one on each slot: spread starts up to 4096; take --per host'],
  ['host', Array.from({ length: 4097 }, (_, i) => `n${i}\n`).join(''), 'Cannot start 4097 ranks, one on each host'],
] as const)('has no more ranks than can be started at once, one on each %s', (per, text, says) => {
  expect(() => placesOf(parseNodeFile(text), per)).toThrow(says)
})

test.each([
  ['outside of a job', {}, undefined, 'spread-45ecaf8f.0-r0'],
  ['outside of a job, with a run id', {}, 'mine', 'spread-45ecaf8f.mine-r0'],
  ['in a job', { OAR_JOB_ID: '17' }, undefined, 'spread-17.45ecaf8f-r0'],
  ['in a job, with a run id', { OAR_JOB_ID: '17' }, 'mine', 'spread-17.mine-r0'],
])('names its run, %s', async (_, env, runId, key) => {
  const [place] = placesOf(hosts, 'host')
  const told = runWords(env, '45ecaf8f')
  const variables = place && variablesOf(place, { ...told, slotsAreCpus: false })
  const { runKey } = await identifySystem(
    variables ?? {},
    { ...options, ...(runId === undefined ? {} : { runId }) },
    'h',
  )
  expect(formatRunKey(runKey)).toBe(key)
})

test.each([
  ['NODE1', 'node1.site', true],
  ['node10', 'node1', false],
  ['me@node1', 'node1', false],
  ['localhost', 'node1', true],
])('host %s is this one where that is called %s: %s', (name, own, is) => {
  expect(isThisHost(name, own)).toBe(is)
})
