import { describe, expect, it } from 'vitest'
import { identifySlurm } from '../../../src/runners/slurm/identify-slurm.ts'
import { slurmHosts } from '../../../src/runners/slurm/slurm-hosts.ts'
import { slurmEnvironment } from '../../support/environment.ts'

function hosts(name: string, changes: Record<string, string | undefined> = {}): string {
  const env = slurmEnvironment(name, changes)
  return slurmHosts(env, identifySlurm(env, { identity: 'auto' })).join(' ')
}

const task3of6 = 'step-3nodes-6tasks-proc3'
const task5of6 = 'step-3nodes-6tasks-proc5'

describe('hosts of a step', () => {
  it('are its nodes where each has one task', () => {
    expect(hosts('step-4nodes-1task-each-proc3')).toBe('node0 node1 node2 node3')
    expect(hosts('step-2-of-3-nodes-proc0')).toBe('node0 node1')
  })

  it('are filled one after the other by the distribution block', () => {
    expect(hosts(task3of6)).toBe('node0 node0 node1 node1 node2 node2')
    expect(hosts(task5of6, { SLURM_DISTRIBUTION: 'block:cyclic', SLURM_STEP_TASKS_PER_NODE: '4,1(x2)' })).toBe(
      'node0 node0 node0 node0 node1 node2',
    )
  })

  it('are dealt round by the distribution cyclic', () => {
    const cyclic = { SLURM_DISTRIBUTION: 'cyclic', SLURMD_NODENAME: 'node0', SLURM_NODEID: '0' }
    expect(hosts(task3of6, cyclic)).toBe('node0 node1 node2 node0 node1 node2')
    expect(hosts(task3of6, { ...cyclic, SLURM_STEP_TASKS_PER_NODE: '4,1(x2)' })).toBe(
      'node0 node1 node2 node0 node0 node0',
    )
  })

  it.each([
    ['the distribution is not said', { SLURM_DISTRIBUTION: undefined }],
    ['the distribution is arbitrary', { SLURM_DISTRIBUTION: 'arbitrary' }],
    ['the counts are not said', { SLURM_STEP_TASKS_PER_NODE: undefined, SLURM_TASKS_PER_NODE: undefined }],
    ['the counts do not add up', { SLURM_STEP_TASKS_PER_NODE: '3(x3)' }],
    [
      'the nodes are not said',
      { SLURM_STEP_NODELIST: undefined, SLURM_NODELIST: undefined, SLURM_JOB_NODELIST: 'node[0-7]' },
    ],
    ['the order has this process on another node', { SLURMD_NODENAME: 'node2' }],
  ])('are unknown but for its own where %s', (_why, changes) => {
    const own = slurmEnvironment(task3of6, changes).SLURMD_NODENAME ?? ''
    expect(hosts(task3of6, changes)).toBe(`? ? ? ${own} ? ?`)
  })

  it('are all the same on one node', () => {
    const changes = {
      SLURM_NNODES: '1',
      SLURM_STEP_NUM_NODES: '1',
      SLURM_STEP_NODELIST: 'node1',
      SLURM_STEP_TASKS_PER_NODE: '6',
      SLURM_DISTRIBUTION: undefined,
    }
    expect(hosts(task3of6, changes)).toBe('node1 node1 node1 node1 node1 node1')
  })

  it('are those of the job under a manager that knows no steps, one number for the tasks of all nodes', () => {
    const changes = {
      SLURMD_NODENAME: undefined,
      SLURM_STEP_NODELIST: undefined,
      SLURM_STEP_TASKS_PER_NODE: undefined,
      SLURM_TASKS_PER_NODE: '2',
    }
    expect(hosts(task3of6, changes)).toBe('node0 node0 node1 node1 node2 node2')
  })

  it('run through one component of a heterogeneous step after the other', () => {
    expect(hosts('het-step-proc2')).toBe('node0 node1 node2')
    const reversed = { SLURM_JOB_NODELIST_PACK_GROUP_0: 'node2', SLURM_JOB_NODELIST_PACK_GROUP_1: 'node[0-1]' }
    expect(hosts('het-step-proc0', { ...reversed, SLURMD_NODENAME: 'node2' })).toBe('node2 node0 node1')
    expect(hosts('het-step-proc0', { SLURM_JOB_NODELIST_PACK_GROUP_1: 'node1' })).toBe('node0 ? ?')
  })

  it('are those of the components that the step is on', () => {
    const second = {
      SLURM_STEP_NODELIST: 'node[1-2]',
      SLURM_STEP_NUM_NODES: '2',
      SLURM_NNODES: '2',
      SLURM_STEP_NUM_TASKS: '2',
      SLURM_NTASKS: '2',
      SLURM_STEP_TASKS_PER_NODE: '1(x2)',
      SLURM_NODEID: '1',
      SLURM_PROCID: '1',
    }
    expect(hosts('het-step-proc2', second)).toBe('node1 node2')
  })

  it('are unknown where the components of a heterogeneous step are dealt round, each by itself', () => {
    const twoEach = { SLURM_NTASKS: '6', SLURM_STEP_NUM_TASKS: '6', SLURM_STEP_TASKS_PER_NODE: '2(x3)' }
    expect(hosts('het-step-proc0', twoEach)).toBe('node0 ? ? ? ? ?')
  })
})
