import { expect, test } from 'vitest'
import type { Role } from '../../src/identity/roles.ts'
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

const mib = 2 ** 20

function of(memory: number, roles: readonly Role[], nworkers = 1) {
  const all = { ...share, memory: { amount: memory * mib, source: 'SLURM_MEM_PER_NODE' } }
  return shareAmong(all, { nworkers, roles })
}

test('a worker has all memory of its task, unless a small one has to keep some for scheduler and client', () => {
  const all = ['scheduler', 'client', 'worker'] as const
  const limits = [2048, 1000, 512].map((memory) => Number(of(memory, all).memoryLimit) / mib)
  // Dask pauses at 0.8 × 390 MiB: 200 MiB are left.
  expect(limits).toEqual([2048, 1000, 390])
  expect(of(512, all).kept).toBe('200 MiB stay for the scheduler and the client program')
  expect(of(512, ['scheduler', 'worker'])).toMatchObject({ memoryLimit: `${512 * mib}` })
  expect(of(480, ['scheduler', 'worker'])).toMatchObject({
    memoryLimit: `${475 * mib}`,
    kept: '100 MiB stay for the scheduler',
  })
  expect(of(512, ['worker'])).toEqual({ nthreads: 8, memoryLimit: `${512 * mib}` })
  expect(of(512, all, 3)).toMatchObject({ memoryLimit: `${130 * mib}` })
})

test('of memory that is too little for all of them a worker gets what it needs to run at all, and it is said', () => {
  expect(of(256, ['scheduler', 'client', 'worker'])).toEqual({
    nthreads: 8,
    memoryLimit: `${128 * mib}`,
    short:
      '256 MiB (SLURM_MEM_PER_NODE) is too little for the scheduler, the client program and a worker, which need ' +
      'about 302.4 MiB: the kernel may kill one of them',
  })
  expect(of(64, ['client', 'worker'], 2)).toMatchObject({ memoryLimit: `${32 * mib}` })
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
