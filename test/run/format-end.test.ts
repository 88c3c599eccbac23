import { expect, test } from 'vitest'
import { formatEnd, formatMemoryLoss } from '../../src/run/format-end.ts'

const mib = 2 ** 20
const killed = { status: null, signal: 'SIGKILL', forced: false } as const
const file = '/sys/fs/cgroup/memory/job_1/memory.limit_in_bytes'
const byKernel = { ...killed, outOfMemory: { limit: { amount: 512 * mib, file } } }
const sentence = `was killed by SIGKILL: the kernel killed it because its control group had used all memory that it may have: 512 MiB (${file})`
const inSlurm = { env: { SLURM_JOB_ID: '1' }, memoryLimit: undefined }
const elsewhere = { env: {}, memoryLimit: '300MiB' }

test('an end for lack of memory says what Dask allows a worker, and what helps', () => {
  expect(formatEnd(byKernel, inSlurm, String(256 * mib))).toBe(
    `${sentence}; Dask allows this worker 256 MiB; ask Slurm for more memory (--mem), start fewer workers on the node, or lower --memory-limit`,
  )
  expect(formatEnd(byKernel, elsewhere, '0')).toBe(
    `${sentence}; Dask sets this worker no limit; give the run more memory, start fewer workers on the node, or set --memory-limit`,
  )
})

test('that of a scheduler or a program says nothing of a limit of Dask', () => {
  expect(formatEnd(byKernel, elsewhere)).toBe(
    `${sentence}; give the run more memory, start fewer workers on the node, or lower --memory-limit`,
  )
})

test('another end says nothing of memory', () => {
  expect(formatEnd(killed, inSlurm, '1GiB')).toBe('was killed by SIGKILL')
  expect(formatEnd({ ...byKernel, forced: true }, inSlurm, '1GiB')).toBe(
    'was killed by SIGKILL (it had not ended in time)',
  )
})

test('a worker that its nanny has ended is told with the limit of Dask', () => {
  expect(formatMemoryLoss({ limit: 300 * mib, part: 0.95 }, elsewhere)).toBe(
    'was ended by its nanny because it took more than 95 % of the 300 MiB that Dask allows it; ' +
      'give the run more memory, start fewer workers on the node, or raise --memory-limit',
  )
  expect(formatMemoryLoss({ limit: 300 * mib, part: 0.95 }, inSlurm)).toMatch(
    /; ask Slurm for more memory \(--mem\) or start fewer workers on the node$/,
  )
  expect(formatMemoryLoss({ limit: 300 * mib, part: null, exit: byKernel }, inSlurm)).toContain(
    `${sentence}; Dask allows this worker 300 MiB; `,
  )
})
