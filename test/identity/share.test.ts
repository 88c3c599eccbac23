import { expect, test } from 'vitest'
import { slurmShare } from '../../src/identity/share.ts'
import { slurmEnvironment } from '../support/environment.ts'

test('a task gets the CPUs of its node by the tasks there, and no more than was asked for each', () => {
  // 8 CPUs and 2000 MB on node0 for 2 tasks of 2 CPUs each; 2 CPUs on node1 for 2 tasks.
  expect(slurmShare(slurmEnvironment('step-3nodes-6tasks-proc0'))).toEqual({
    processes: 2,
    cpus: 2,
    memory: 1000 * 1024 * 1024,
  })
  expect(slurmShare(slurmEnvironment('step-3nodes-6tasks-proc3'))).toEqual({
    processes: 2,
    cpus: 1,
    memory: 1000 * 1024 * 1024,
  })
})

test('a task that is alone on its node gets all that the job has there', () => {
  expect(slurmShare(slurmEnvironment('step-2-of-3-nodes-proc1'))).toEqual({
    processes: 1,
    cpus: 2,
    memory: 2000 * 1024 * 1024,
  })
})

test('memory for each CPU is counted by the CPUs of the task', () => {
  const env = slurmEnvironment('step-3nodes-6tasks-proc0', { SLURM_MEM_PER_NODE: undefined, SLURM_MEM_PER_CPU: '512' })
  expect(slurmShare(env).memory).toBe(1024 * 1024 * 1024)
})

test('no limit of memory is no share of it', () => {
  expect(slurmShare(slurmEnvironment('step-4nodes-1task-each-proc1'))).toEqual({ processes: 1, cpus: 1 })
  expect(
    slurmShare(slurmEnvironment('step-4nodes-1task-each-proc1', { SLURM_MEM_PER_NODE: '0' })).memory,
  ).toBeUndefined()
})
