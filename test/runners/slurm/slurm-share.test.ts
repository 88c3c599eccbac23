import { describe, expect, it, test } from 'vitest'
import { identifySlurm } from '../../../src/runners/slurm/identify-slurm.ts'
import { slurmShare } from '../../../src/runners/slurm/slurm-share.ts'
import { slurmEnvironment } from '../../support/environment.ts'

type Changes = Readonly<Record<string, string | undefined>>

/** Every source of this kind in words, such as `2147483648: SLURM_MEM_PER_NODE ÷ 2 tasks`. */
function said(of: 'cpus' | 'memory', name: string, changes: Changes = {}): string[] {
  return (slurmShare(slurmEnvironment(name, changes))[of] ?? []).map(({ amount, source }) => `${amount}: ${source}`)
}

const gib = 2 ** 30
const two = 'step-3nodes-6tasks-proc0'
const alone = 'step-4nodes-1task-each-proc1'

describe('CPUs', () => {
  test('are those of the node by the tasks there, and no more than were asked for each', () => {
    expect(said('cpus', two)).toEqual(['4: SLURM_CPUS_ON_NODE ÷ 2 tasks', '2: SLURM_CPUS_PER_TASK'])
    expect(said('cpus', 'step-3nodes-6tasks-proc3')).toEqual([
      '1: SLURM_CPUS_ON_NODE ÷ 2 tasks',
      '2: SLURM_CPUS_PER_TASK',
    ])
    expect(said('cpus', alone)).toEqual(['1: SLURM_CPUS_ON_NODE'])
  })

  test('may be less than one', () => {
    expect(said('cpus', 'overcommit-proc3')).toEqual(['0.5: SLURM_CPUS_ON_NODE ÷ 4 tasks'])
  })

  test('are those of the job on this node where the node itself does not tell', () => {
    const changes = { SLURM_CPUS_ON_NODE: undefined, SLURM_CPUS_PER_TASK: undefined }
    const counts = { SLURM_JOB_CPUS_PER_NODE: '2(x2),8', SLURMD_NODENAME: 'node2' }
    expect(said('cpus', two, { ...changes, ...counts })).toEqual(['4: SLURM_JOB_CPUS_PER_NODE ÷ 2 tasks'])
    expect(said('cpus', two, { ...changes, ...counts, SLURMD_NODENAME: 'other' })).toEqual([
      '1: SLURM_JOB_CPUS_PER_NODE ÷ 2 tasks',
    ])
  })

  test.each(['cpu=3', 'cpu:3,gres/gpu:1', 'gres/gpu=1,cpu=3'])('are asked for by SLURM_TRES_PER_TASK=%s', (text) => {
    const changes = { SLURM_CPUS_PER_TASK: undefined, SLURM_TRES_PER_TASK: text }
    expect(said('cpus', two, changes)).toContain('3: SLURM_TRES_PER_TASK')
  })
})

describe('memory', () => {
  test.each([
    ['16G', 16 * gib],
    ['16384M', 16 * gib],
    ['16384', 16 * gib],
    ['16gb', 16 * gib],
    ['1T', 1024 * gib],
    ['1tb', 1024 * gib],
    ['16777216K', 16 * gib],
    // Slurm rounds up to megabytes.
    ['1025k', 2 ** 21],
  ])('of a node is read as Slurm reads %s', (text, bytes) => {
    for (const name of ['SLURM_MEM_PER_NODE', 'SLURM_MEM_PER_CPU', 'SLURM_MEM_PER_GPU']) {
      const changes = { SLURM_GPUS_ON_NODE: '1', [name]: text }
      expect(said('memory', alone, changes), name).toEqual([expect.stringMatching(`^${bytes}: ${name}`)])
    }
  })

  test('of a node is divided by the tasks there', () => {
    expect(said('memory', two)).toEqual([`${1000 * 2 ** 20}: SLURM_MEM_PER_NODE ÷ 2 tasks`])
    expect(said('memory', 'step-2-of-3-nodes-proc1')).toEqual([`${2000 * 2 ** 20}: SLURM_MEM_PER_NODE`])
  })

  test('of 0 is all of the node, which is no limit', () => {
    expect(said('memory', alone, { SLURM_MEM_PER_NODE: '0' })).toEqual([])
    expect(said('memory', alone)).toEqual([])
  })

  test('for each CPU is counted by the CPUs of the task', () => {
    const perCpu = { SLURM_MEM_PER_NODE: undefined, SLURM_MEM_PER_CPU: '512' }
    expect(said('memory', two, perCpu)).toEqual([`${gib}: SLURM_MEM_PER_CPU × 2 CPUs`])
    expect(said('memory', 'step-3nodes-6tasks-proc3', perCpu)).toEqual([
      `${gib / 2}: SLURM_MEM_PER_CPU × 2 CPUs ÷ 2 tasks`,
    ])
    // Four tasks on two CPUs have what the two have.
    expect(said('memory', 'overcommit-proc3', { SLURM_MEM_PER_CPU: '1G' })).toEqual([
      `${gib / 2}: SLURM_MEM_PER_CPU × 2 CPUs ÷ 4 tasks`,
    ])
  })

  test('for each GPU is counted by the GPUs of the node', () => {
    const expected = [`${2 * gib}: SLURM_MEM_PER_GPU × 4 GPUs ÷ 2 tasks`]
    expect(said('memory', 'mem-per-gpu-proc3')).toEqual(expected)
    const without = { SLURM_GPUS_ON_NODE: undefined }
    expect(said('memory', 'mem-per-gpu-proc3', without)).toEqual(expected)
    const noList = { ...without, SLURM_JOB_GPUS: undefined, SLURM_STEP_GPUS: undefined }
    expect(said('memory', 'mem-per-gpu-proc3', { ...noList, SLURM_GPUS_PER_NODE: 'a100:3,1' })).toEqual(expected)
    expect(said('memory', 'mem-per-gpu-proc3', { ...noList, SLURM_GPUS_PER_TASK: 'a100:2' })).toEqual(expected)
    const types = ['gres/gpu:a100=1,gres/gpu:v100=1', 'gres/gpu:a100=2,gres/gpu=2']
    for (const tres of ['cpu=2,gres/gpu:a100=2', 'gres/gpu:2', 'gres/gpu=2,cpu=1', ...types])
      expect(said('memory', 'mem-per-gpu-proc3', { ...noList, SLURM_TRES_PER_TASK: tres })).toEqual(expected)
    expect(said('memory', 'mem-per-gpu-proc3', { ...noList, SLURM_STEP_GPUS: '0-2,5' })).toEqual(expected)
    expect(said('memory', 'mem-per-gpu-proc3', noList)).toEqual([])
    expect(said('memory', 'mem-per-gpu-proc3', { SLURM_GPUS_ON_NODE: '0' })).toEqual([])
  })

  test('is told by each variable, of which none outranks another', () => {
    expect(said('memory', 'mem-per-gpu-proc3', { SLURM_MEM_PER_NODE: '1G', SLURM_MEM_PER_CPU: '1G' })).toEqual([
      `${gib / 2}: SLURM_MEM_PER_NODE ÷ 2 tasks`,
      `${gib}: SLURM_MEM_PER_CPU × 2 CPUs ÷ 2 tasks`,
      `${2 * gib}: SLURM_MEM_PER_GPU × 4 GPUs ÷ 2 tasks`,
    ])
  })
})

describe('tasks on the node', () => {
  const tasks = (changes: Changes) => slurmShare(slurmEnvironment(two, changes)).processes
  const step = { SLURM_STEP_TASKS_PER_NODE: undefined }

  it.each([
    ['a number for each node', { SLURM_STEP_TASKS_PER_NODE: '2(x2),1', SLURM_NODEID: '2' }, 1],
    ['those of the job where the step tells none', { ...step, SLURM_TASKS_PER_NODE: '3,2,1', SLURM_NODEID: '1' }, 2],
    ['one number for all nodes', { ...step, SLURM_TASKS_PER_NODE: '2' }, 2],
    [
      'the most of any node where this one has no number',
      { SLURM_STEP_TASKS_PER_NODE: '1(x2),4', SLURM_NODEID: undefined },
      4,
    ],
    ['as asked for where nothing tells', { ...step, SLURM_TASKS_PER_NODE: undefined, SLURM_NTASKS_PER_NODE: '3' }, 3],
    ['an equal part of all where nothing tells', { ...step, SLURM_TASKS_PER_NODE: undefined }, 2],
  ])('are %s', (_, changes, expected) => {
    expect(tasks(changes)).toBe(expected)
  })

  it('know which of them this is', () => {
    expect(slurmShare(slurmEnvironment('step-3nodes-6tasks-proc3'))).toMatchObject({ processes: 2, localRank: 1 })
    expect(slurmShare(slurmEnvironment(two, { SLURM_LOCALID: undefined }))).not.toHaveProperty('localRank')
  })
})

describe('in a heterogeneous job', () => {
  const het = 'het-mem-per-cpu-proc2'

  test('the request of the own component counts, and not the plain variables of the first', () => {
    expect(said('memory', het)).toEqual([`${6 * gib}: SLURM_MEM_PER_CPU_HET_GROUP_1 × 4 CPUs ÷ 2 tasks`])
    expect(said('cpus', het)).toEqual(['2: SLURM_CPUS_ON_NODE ÷ 2 tasks', '2: SLURM_CPUS_PER_TASK_HET_GROUP_1'])
    const first = { SLURMD_NODENAME: 'node0', SLURM_NODEID: '0', SLURM_CPUS_ON_NODE: '2' }
    expect(said('memory', het, first)).toEqual([`${gib}: SLURM_MEM_PER_CPU_HET_GROUP_0 × 2 CPUs ÷ 2 tasks`])
  })

  test('the older names count where they are the only ones', () => {
    const old = Object.keys(slurmEnvironment(het)).filter((name) => name.includes('_HET_'))
    const changes = Object.fromEntries(old.map((name) => [name, undefined]))
    expect(said('memory', het, changes)).toEqual([`${6 * gib}: SLURM_MEM_PER_CPU_PACK_GROUP_1 × 4 CPUs ÷ 2 tasks`])
  })

  test('a part whose nodes nobody says is a gap, and hides none behind it', () => {
    const gap = { SLURM_JOB_NODELIST_HET_GROUP_1: undefined, SLURM_JOB_NODELIST_PACK_GROUP_1: undefined }
    const { SLURM_JOB_NODELIST_PACK_GROUP_1: nodes = '' } = slurmEnvironment(het)
    const third = { SLURM_JOB_NODELIST_PACK_GROUP_2: nodes, SLURM_MEM_PER_CPU_PACK_GROUP_2: '5120' }
    expect(said('memory', het, { ...gap, ...third })).toEqual([
      `${10 * gib}: SLURM_MEM_PER_CPU_PACK_GROUP_2 × 4 CPUs ÷ 2 tasks`,
    ])
    // One that cannot be read is another.
    const unreadable = { SLURM_JOB_NODELIST_HET_GROUP_1: 'node[', SLURM_JOB_NODELIST_PACK_GROUP_1: 'node[' }
    expect(said('memory', het, { ...unreadable, ...third })).toEqual([
      `${10 * gib}: SLURM_MEM_PER_CPU_PACK_GROUP_2 × 4 CPUs ÷ 2 tasks`,
    ])
  })

  test('a component that has asked for nothing does not take the request of the first', () => {
    const nothing = { SLURM_MEM_PER_CPU_HET_GROUP_1: undefined, SLURM_MEM_PER_CPU_PACK_GROUP_1: undefined }
    expect(said('memory', het, nothing)).toEqual([])
    const noGroups = { ...nothing, SLURM_MEM_PER_CPU_HET_GROUP_0: undefined, SLURM_MEM_PER_CPU_PACK_GROUP_0: undefined }
    const first = { SLURMD_NODENAME: 'node0', SLURM_NODEID: '0', SLURM_CPUS_ON_NODE: '2' }
    expect(said('memory', het, { ...noGroups, ...first })).toEqual([`${gib}: SLURM_MEM_PER_CPU × 2 CPUs ÷ 2 tasks`])
  })

  test('memory for each node and GPU, and the CPUs of the node, are of the own component too', () => {
    const changes = {
      SLURM_CPUS_ON_NODE: undefined,
      SLURM_MEM_PER_NODE: '1G',
      SLURM_MEM_PER_NODE_HET_GROUP_1: '3G',
      SLURM_GPUS_PER_NODE: '8',
      SLURM_GPUS_PER_NODE_HET_GROUP_1: 'a100:2',
      SLURM_MEM_PER_GPU_HET_GROUP_1: '5G',
    }
    expect(said('memory', het, changes)).toEqual([
      `${1.5 * gib}: SLURM_MEM_PER_NODE_HET_GROUP_1 ÷ 2 tasks`,
      `${6 * gib}: SLURM_MEM_PER_CPU_HET_GROUP_1 × 4 CPUs ÷ 2 tasks`,
      `${5 * gib}: SLURM_MEM_PER_GPU_HET_GROUP_1 × 2 GPUs ÷ 2 tasks`,
    ])
  })

  // Both components have tasks on node0.
  const both = {
    SLURM_JOB_NODELIST_HET_GROUP_1: 'node0',
    SLURM_JOB_NODELIST_PACK_GROUP_1: 'node0',
    SLURM_STEP_NODELIST: 'node0,node0',
    SLURMD_NODENAME: 'node0',
  }

  test('on a node of two components the number of the node tells which is meant', () => {
    expect(said('memory', het, both)).toEqual([`${6 * gib}: SLURM_MEM_PER_CPU_HET_GROUP_1 × 4 CPUs ÷ 2 tasks`])
    expect(slurmShare(slurmEnvironment(het, both))).toMatchObject({ processes: 2, processesOnNode: 4 })
  })

  test('where that does not tell, all of them count, so that the smallest does', () => {
    const changes = { ...both, SLURM_STEP_NUM_NODES: '1', SLURM_NNODES: '1', SLURM_STEP_TASKS_PER_NODE: '2' }
    expect(said('memory', het, { ...changes, SLURM_NODEID: '0' })).toHaveLength(2)
    expect(said('memory', het, { SLURMD_NODENAME: undefined })).toHaveLength(2)
  })

  test('without lists of nodes no request is believed', () => {
    const lists = Object.keys(slurmEnvironment(het)).filter((name) => /NODELIST_(HET|PACK)/.test(name))
    const changes = Object.fromEntries(lists.map((name) => [name, undefined]))
    expect(said('memory', het, changes)).toEqual([])
    expect(said('cpus', het, { ...changes, SLURM_CPUS_PER_TASK: '1' })).toEqual(['2: SLURM_CPUS_ON_NODE ÷ 2 tasks'])
  })
})

describe('a variable that cannot be read', () => {
  test.each([
    ['SLURM_MEM_PER_NODE', 'unlimited'],
    ['SLURM_MEM_PER_NODE', '1.5G'],
    ['SLURM_MEM_PER_NODE', '4,2'],
    ['SLURM_MEM_PER_NODE', '-1'],
    ['SLURM_MEM_PER_NODE', '16Gi'],
    ['SLURM_MEM_PER_NODE', '16 G'],
    ['SLURM_MEM_PER_NODE', '99999999999T'],
    ['SLURM_TASKS_PER_NODE', '2(x3'],
    ['SLURM_TASKS_PER_NODE', '1(x1000000000)'],
    ['SLURM_CPUS_ON_NODE', '0x4'],
    ['SLURM_MEM_PER_CPU', '4,2'],
    ['SLURM_CPUS_ON_NODE', '4,2'],
    ['SLURM_CPUS_PER_TASK', 'unlimited'],
    ['SLURM_LOCALID', 'x'],
    ['SLURM_STEP_TASKS_PER_NODE', '2-3'],
    ['SLURM_TASKS_PER_NODE', 'many'],
    ['SLURM_NNODES', '4,2'],
    ['SLURM_JOB_NUM_NODES', 'x'],
  ])('of a share costs the process nothing but a warning: %s=%s', (name, value) => {
    const { rank, share } = identifySlurm(slurmEnvironment(two, { [name]: value }), { identity: 'auto' })
    expect(rank).toBe(0)
    expect(share.warnings).toEqual([expect.stringContaining(`${name} is "${value}", which is not `)])
  })

  test('leaves the place to the next source', () => {
    const changes = { SLURM_CPUS_ON_NODE: '4,2', SLURM_MEM_PER_NODE: 'unlimited', SLURM_MEM_PER_CPU: '512' }
    expect(said('cpus', two, changes)).toEqual(['4: SLURM_JOB_CPUS_PER_NODE ÷ 2 tasks', '2: SLURM_CPUS_PER_TASK'])
    expect(said('memory', two, changes)).toEqual([`${gib}: SLURM_MEM_PER_CPU × 2 CPUs`])
  })

  test('is none where the job has no such thing', () => {
    expect(slurmShare(slurmEnvironment(two)).warnings).toEqual([])
  })
})
