import { expect, it } from 'vitest'
import { Samples } from '../../src/run/samples.ts'

const noHosts = new Map<string, Record<string, number>>()

it('keeps each sample while there is room', () => {
  const samples = new Samples(4)
  for (const i of [1, 2, 3, 4]) samples.add(i, { cluster: { a: i }, hosts: new Map([['h', { b: 10 * i }]]) })
  expect(samples.columns).toEqual({
    taken: 4,
    at: [1, 2, 3, 4],
    cluster: { a: { mean: [1, 2, 3, 4] } },
    hosts: [{ host: 'h', curves: { b: { mean: [10, 20, 30, 40] } } }],
  })
})

it('merges each two where it gets full, and keeps their mean, least and most', () => {
  const samples = new Samples(4)
  for (const [i, a] of [5, 1, 2, 2, 7, 9].entries()) samples.add(i, { cluster: { a }, hosts: noHosts })
  expect(samples.columns).toMatchObject({
    at: [1, 3, 5],
    cluster: { a: { mean: [3, 2, 8], least: [1, 2, 7], most: [5, 2, 9] } },
  })
})

it.each([4, 5, 600])('a run of half a day has at most %d samples, which stand for the same number of looks', (most) => {
  const samples = new Samples(most)
  const looks = (12 * 3_600) / 2
  for (let i = 1; i <= looks; i++) samples.add(2 * i, { cluster: { i, peak: i === 777 ? 1_000 : 1 }, hosts: noHosts })
  const { at, taken, cluster } = samples.columns
  expect(taken).toBe(looks)
  expect(at.length).toBeLessThanOrEqual(most)
  expect(at.length).toBeGreaterThanOrEqual(Math.floor(most / 2))
  const steps = at.map((seconds, i) => seconds - (at[i - 1] ?? 0))
  expect(new Set(steps.slice(0, -1)).size).toBe(1)
  expect(steps.at(-1)).toBeLessThanOrEqual(steps[0] ?? 0)
  expect(Math.max(...(cluster.peak?.most ?? []).map(Number))).toBe(1_000)
  // The mean of all is what it would be of the looks, but for the last sample, which may stand for fewer.
  expect(cluster.i?.least?.[0]).toBe(1)
  expect(cluster.i?.most?.at(-1)).toBe(looks)
  expect(JSON.stringify(samples.columns).length).toBeLessThan(50_000)
})

it('a host that comes late, or goes, has nothing where it was not seen', () => {
  const samples = new Samples(4)
  const hosts = [['x'], ['x', 'y'], ['y'], ['y'], ['y'], ['y']]
  for (const [i, names] of hosts.entries())
    samples.add(i, { cluster: {}, hosts: new Map(names.map((name) => [name, { a: i }])) })
  expect(samples.columns.hosts).toEqual([
    { host: 'x', curves: { a: { mean: [0.5, null, null], least: [0, null, null], most: [1, null, null] } } },
    { host: 'y', curves: { a: { mean: [1, 2.5, 4.5], least: [1, 2, 4], most: [1, 3, 5] } } },
  ])
})

it('of thousands of hosts the first have curves', () => {
  const samples = new Samples()
  const hosts = new Map(Array.from({ length: 5_000 }, (_, i) => [`node${i}`, { memory: i }]))
  for (const i of [0, 2]) samples.add(i, { cluster: {}, hosts })
  expect(samples.columns.hosts.length).toBe(64)
})
