import { expect, test } from 'vitest'
import { shareAmong } from '../../src/components/worker-resources.ts'

const node = { affinity: 16, cgroupMemory: undefined, processes: 2, share: {} }

test('workers share the CPUs that their process may run on', () => {
  expect(shareAmong(4, node)).toEqual({ nthreads: 4, memoryLimit: undefined })
})

test('a share by the workload manager that is smaller than the affinity counts, and the other way round', () => {
  expect(shareAmong(1, { ...node, share: { cpus: 8 } }).nthreads).toBe(8)
  expect(shareAmong(1, { ...node, affinity: 2, share: { cpus: 8 } }).nthreads).toBe(2)
})

test('a worker has at least one thread', () => {
  expect(shareAmong(5, { ...node, share: { cpus: 2 } }).nthreads).toBe(1)
})

test('memory is what the workload manager gave to the process', () => {
  expect(shareAmong(2, { ...node, cgroupMemory: 7_000, share: { memory: 1_001 } }).memoryLimit).toBe('500')
})

test('without that it is the part of the cgroup, which the processes of the node share', () => {
  expect(shareAmong(2, { ...node, cgroupMemory: 8_000 }).memoryLimit).toBe('2000')
})
