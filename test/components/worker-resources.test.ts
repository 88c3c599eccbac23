import { expect, test } from 'vitest'
import { bytesOf, shareAmong } from '../../src/components/worker-resources.ts'

const share = { cpus: { amount: 8, source: 'a' }, memory: { amount: 8_001, source: 'b' } }

test('workers divide the share of their process', () => {
  expect(shareAmong(share, { nworkers: 2 })).toEqual({ nthreads: 4, memoryLimit: '4000' })
  expect(shareAmong(share, { nworkers: 3 })).toEqual({ nthreads: 2, memoryLimit: '2667' })
})

test('a worker has at least one thread', () => {
  expect(shareAmong(share, { nworkers: 9 }).nthreads).toBe(1)
  expect(shareAmong({ ...share, cpus: { amount: 0.5, source: 'a' } }, { nworkers: 1 }).nthreads).toBe(1)
})

test('a share that is next to nothing is not the 0 that is no limit to Dask', () => {
  const little = { ...share, memory: { amount: 0.5, source: 'b' } }
  expect(shareAmong(little, { nworkers: 2 }).memoryLimit).toBe('1')
  expect(shareAmong(share, { nworkers: 1, memoryLimit: '1e-9' }).memoryLimit).toBe('1')
})

test('what the user wants is done', () => {
  expect(shareAmong(share, { nworkers: 2, nthreads: 16, memoryLimit: '4GiB' })).toEqual({
    nthreads: 16,
    memoryLimit: '4GiB',
  })
  expect(shareAmong(share, { nworkers: 2, memoryLimit: '0' }).memoryLimit).toBe('0')
})

test('a fraction is one of the share, and not of the whole machine', () => {
  expect(shareAmong(share, { nworkers: 2, memoryLimit: '0.25' }).memoryLimit).toBe('2000')
  expect(shareAmong(share, { nworkers: 2, memoryLimit: '1' }).memoryLimit).toBe('8001')
  expect(shareAmong(share, { nworkers: 2, memoryLimit: 'auto' }).memoryLimit).toBe('4000')
})

test.each([
  ['4GiB', 4 * 2 ** 30],
  ['500 MB', 500e6],
  ['1.5gb', 1.5e9],
  ['2e3', 2_000],
  ['17', 17],
  ['0', 0],
  ['lots', undefined],
  ['auto', undefined],
])('%s in bytes', (limit, bytes) => {
  expect(bytesOf(limit)).toBe(bytes)
})
