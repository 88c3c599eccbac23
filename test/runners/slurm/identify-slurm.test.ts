import { describe, expect, it } from 'vitest'
import { RunnerError } from '../../../src/errors.ts'
import { formatRunKey } from '../../../src/identity/run-key.ts'
import { identifySlurm } from '../../../src/runners/slurm/identify-slurm.ts'
import type { IdentityKind } from '../../../src/options.ts'
import { slurmCaptures, slurmEnvironment } from '../../support/environment.ts'

const oneEach = 'step-4nodes-1task-each-proc1'
const several = 'step-3nodes-6tasks-proc3'

function identify(env: Record<string, string>, identity: IdentityKind = 'auto') {
  return identifySlurm(env, { identity })
}

function failureOf(env: Record<string, string>, identity: IdentityKind = 'auto'): string {
  try {
    identify(env, identity)
  } catch (error) {
    expect(error).toBeInstanceOf(RunnerError)
    expect(error).toMatchObject({ code: 'ERR_ENVIRONMENT' })
    const { message } = error as RunnerError
    expect(message).toMatch(/^Cannot .+: .+; .+[^.]$/)
    return message
  }
  throw new Error('it identified a process')
}

/** Rank, size, host, run key, where they come from. */
const steps: Record<string, readonly [number, number, string, string, string]> = {
  'array-task0-proc1': [1, 2, 'node1', 'sim-9.0-r0', 'SLURM_NODEID=1 of SLURM_STEP_NUM_NODES=2'],
  'array-task0-proc1-requeued': [1, 2, 'node1', 'sim-9.0-r1', 'SLURM_NODEID=1 of SLURM_STEP_NUM_NODES=2'],
  'array-task1-proc1': [1, 2, 'node1', 'sim-8.0-r0', 'SLURM_NODEID=1 of SLURM_STEP_NUM_NODES=2'],
  'het-step-proc0': [0, 3, 'node0', 'sim-3.0-r0', 'SLURM_NODEID=0 of SLURM_STEP_NUM_NODES=3'],
  'het-step-proc2': [2, 3, 'node2', 'sim-3.0-r0', 'SLURM_NODEID=2 of SLURM_STEP_NUM_NODES=3'],
  'gpu-per-task-proc1': [1, 2, 'node0', 'sim-20.0-r0', 'SLURM_PROCID=1 of SLURM_STEP_NUM_TASKS=2'],
  'gpu-shared-proc3': [3, 4, 'node0', 'sim-19.0-r0', 'SLURM_PROCID=3 of SLURM_STEP_NUM_TASKS=4'],
  'het-mem-per-cpu-proc2': [2, 4, 'node1', 'sim-3.0-r0', 'SLURM_PROCID=2 of SLURM_STEP_NUM_TASKS=4'],
  'mem-per-gpu-proc3': [3, 4, 'node1', 'sim-1.0-r0', 'SLURM_PROCID=3 of SLURM_STEP_NUM_TASKS=4'],
  'overcommit-proc3': [3, 4, 'node0', 'sim-21.0-r0', 'SLURM_PROCID=3 of SLURM_STEP_NUM_TASKS=4'],
  'step-2-of-3-nodes-proc0': [0, 2, 'node0', 'sim-2.1-r0', 'SLURM_NODEID=0 of SLURM_STEP_NUM_NODES=2'],
  'step-2-of-3-nodes-proc1': [1, 2, 'node1', 'sim-2.1-r0', 'SLURM_NODEID=1 of SLURM_STEP_NUM_NODES=2'],
  'step-3nodes-6tasks-proc0': [0, 6, 'node0', 'sim-2.0-r0', 'SLURM_PROCID=0 of SLURM_STEP_NUM_TASKS=6'],
  'step-3nodes-6tasks-proc3': [3, 6, 'node1', 'sim-2.0-r0', 'SLURM_PROCID=3 of SLURM_STEP_NUM_TASKS=6'],
  'step-3nodes-6tasks-proc5': [5, 6, 'node2', 'sim-2.0-r0', 'SLURM_PROCID=5 of SLURM_STEP_NUM_TASKS=6'],
  'step-4nodes-1task-each-proc0': [0, 4, 'node0', 'sim-7.0-r0', 'SLURM_NODEID=0 of SLURM_STEP_NUM_NODES=4'],
  'step-4nodes-1task-each-proc1': [1, 4, 'node1', 'sim-7.0-r0', 'SLURM_NODEID=1 of SLURM_STEP_NUM_NODES=4'],
  'step-4nodes-1task-each-proc3': [3, 4, 'node3', 'sim-7.0-r0', 'SLURM_NODEID=3 of SLURM_STEP_NUM_NODES=4'],
}
const batchScript = 'batch-script-3nodes-6tasks'

describe('captured environments', () => {
  it('are all in this file', () => {
    expect(slurmCaptures().sort()).toEqual([...Object.keys(steps), batchScript].sort())
  })

  it.each(Object.entries(steps))('%s tells its process its place', (name, [rank, size, host, runKey, source]) => {
    const identity = identify(slurmEnvironment(name))
    expect(identity).toMatchObject({ rank, size, host, source })
    expect(formatRunKey(identity.runKey)).toBe(runKey)
  })

  it('of a batch script without srun is an error that says so', () => {
    const message = failureOf(slurmEnvironment(batchScript))
    expect(message).toContain('SLURM_JOB_ID is "2" but SLURM_STEP_ID is not set')
    expect(message).toContain('start me with srun')
  })
})

describe('run key', () => {
  it('differs between a job and its requeue, and between two tasks of an array', () => {
    const keys = ['array-task0-proc1', 'array-task0-proc1-requeued', 'array-task1-proc1'].map((name) =>
      formatRunKey(identify(slurmEnvironment(name)).runKey),
    )
    expect(new Set(keys).size).toBe(3)
  })

  it('says slurm where the cluster has no name', () => {
    const unnamed = slurmEnvironment(oneEach, { SLURM_CLUSTER_NAME: undefined })
    expect(identify(unnamed).runKey).toEqual({ cluster: 'slurm', jobId: '7', stepId: '0', restart: 0 })
    expect(identify({ ...unnamed, SLURM_CLUSTER_NAME: '' }).runKey.cluster).toBe('slurm')
  })

  it('takes the older names of job and step', () => {
    const env = slurmEnvironment('step-2-of-3-nodes-proc1', { SLURM_JOB_ID: undefined, SLURM_STEP_ID: undefined })
    expect(identify(env).runKey).toMatchObject({ jobId: '2', stepId: '1' })
  })
})

describe('choice of identity', () => {
  it('is the task when forced, also with one task on each node', () => {
    const { rank, size, source } = identify(slurmEnvironment(oneEach), 'task')
    expect({ rank, size, source }).toEqual({ rank: 1, size: 4, source: 'SLURM_PROCID=1 of SLURM_STEP_NUM_TASKS=4' })
  })

  it('is the node when forced, with one task on each node', () => {
    expect(identify(slurmEnvironment(oneEach), 'node').source).toBe('SLURM_NODEID=1 of SLURM_STEP_NUM_NODES=4')
  })

  it('refuses the node where several tasks share one', () => {
    const message = failureOf(slurmEnvironment(several), 'node')
    expect(message).toContain('SLURM_STEP_NUM_TASKS is "6"')
    expect(message).toContain('SLURM_STEP_NUM_NODES is "3"')
  })

  it('is the task for several tasks on one node', () => {
    const env = slurmEnvironment(several, {
      SLURM_NNODES: '1',
      SLURM_STEP_NUM_NODES: '1',
      SLURM_NODEID: '0',
      SLURM_STEP_NODELIST: 'node1',
      SLURM_STEP_TASKS_PER_NODE: '6',
    })
    expect(identify(env)).toMatchObject({ rank: 3, size: 6, host: 'node1' })
  })

  it('is the task where the counts contradict one task on each node', () => {
    const env = slurmEnvironment(oneEach, { SLURM_STEP_TASKS_PER_NODE: '2,1(x2)' })
    expect(identify(env).source).toBe('SLURM_PROCID=1 of SLURM_STEP_NUM_TASKS=4')
  })

  it('reads the nodes of the step where the job has more', () => {
    const env = slurmEnvironment('step-2-of-3-nodes-proc1', { SLURM_STEP_NUM_NODES: undefined })
    expect(identify(env)).toMatchObject({ rank: 1, size: 2, source: 'SLURM_NODEID=1 of SLURM_NNODES=2' })
  })

  it('falls back to the sizes of the job', () => {
    const env = slurmEnvironment(oneEach, {
      SLURM_STEP_NUM_NODES: undefined,
      SLURM_NNODES: undefined,
      SLURM_STEP_NUM_TASKS: '',
    })
    expect(identify(env).source).toBe('SLURM_NODEID=1 of SLURM_JOB_NUM_NODES=4')
    expect(identify(env, 'task').source).toBe('SLURM_PROCID=1 of SLURM_NTASKS=4')
  })

  it('needs no number of nodes for the task', () => {
    const env = slurmEnvironment(several, {
      SLURM_STEP_NUM_NODES: undefined,
      SLURM_NNODES: undefined,
      SLURM_JOB_NUM_NODES: undefined,
    })
    expect(identify(env, 'task')).toMatchObject({ rank: 3, size: 6 })
  })
})

describe('inherited variables', () => {
  it.each([
    ['SLURM_NTASKS', '2', 'SLURM_STEP_NUM_TASKS', '6'],
    ['SLURM_NNODES', '1', 'SLURM_STEP_NUM_NODES', '3'],
    ['SLURMD_NODENAME', 'node7', 'SLURM_STEP_NODELIST', 'node[0-2]'],
  ])('are an error where %s=%s is not that of %s=%s', (own, value, step, stepValue) => {
    const message = failureOf(slurmEnvironment(several, { [own]: value }))
    expect(message).toContain(`${own} is "${value}" but ${step} is "${stepValue}"`)
    expect(message).toContain('start me with srun')
  })

  it.each([
    'SLURM_NTASKS',
    'SLURM_STEP_NUM_TASKS',
    'SLURM_NNODES',
    'SLURM_STEP_NUM_NODES',
    'SLURMD_NODENAME',
    'SLURM_STEP_NODELIST',
  ])('are not suspected where %s is absent', (name) => {
    expect(identify(slurmEnvironment(several, { [name]: undefined }))).toMatchObject({ rank: 3, size: 6 })
  })

  it('from a step are told apart in a batch script that was submitted inside of it', () => {
    const inherited = { SLURM_STEP_ID: '0', SLURM_STEP_NUM_TASKS: '4', SLURM_STEP_NUM_NODES: '4' }
    const message = failureOf(slurmEnvironment(batchScript, inherited))
    expect(message).toContain('SLURM_NTASKS is "6" but SLURM_STEP_NUM_TASKS is "4"')
  })
})

describe('host', () => {
  it('is looked up in the step where the node does not tell its name', () => {
    expect(identify(slurmEnvironment(several, { SLURMD_NODENAME: undefined })).host).toBe('node1')
  })

  it('is looked up in the job where the workload manager knows no steps', () => {
    const env = slurmEnvironment(several, { SLURMD_NODENAME: undefined, SLURM_STEP_NODELIST: undefined })
    expect(identify(env).host).toBe('node1')
    expect(identify({ ...env, SLURM_NODELIST: '' }).host).toBe('node1')
  })

  it('is unknown where nothing tells it', () => {
    const lists = { SLURM_STEP_NODELIST: undefined, SLURM_NODELIST: undefined, SLURM_JOB_NODELIST: undefined }
    expect(identify(slurmEnvironment(several, { SLURMD_NODENAME: undefined, ...lists })).host).toBe('?')
    // The job has more nodes than the step: which are the step's is not said.
    const ofJob = { ...lists, SLURM_NODELIST: 'node[0-7]' }
    expect(identify(slurmEnvironment(several, { SLURMD_NODENAME: undefined, ...ofJob })).host).toBe('?')
  })
})

describe('broken variables', () => {
  const malformed = [' 3', '3 ', '3.5', '-1', '1e3', '0x1', 'three', '99999999999999999999']
  const variables = [
    'SLURM_PROCID',
    'SLURM_STEP_NUM_TASKS',
    'SLURM_STEP_NUM_NODES',
    'SLURM_NTASKS',
    'SLURM_JOB_ID',
    'SLURM_STEP_ID',
    'SLURM_RESTART_COUNT',
  ]
  it.each([...variables.map((name) => [several, name] as const), [oneEach, 'SLURM_NODEID'] as const])(
    'are an error in %s where %s is no whole number',
    (capture, name) => {
      for (const value of malformed)
        expect(failureOf(slurmEnvironment(capture, { [name]: value }))).toContain(
          `${name} is "${value}", which is not a whole number`,
        )
    },
  )

  it.each([
    [several, 'SLURM_PROCID', '6', 'SLURM_STEP_NUM_TASKS is "6"'],
    [oneEach, 'SLURM_NODEID', '4', 'SLURM_STEP_NUM_NODES is "4"'],
    [oneEach, 'SLURM_PROCID', '4', 'SLURM_STEP_NUM_TASKS is "4"'],
  ])('are an error in %s where %s=%s is outside of the world', (name, variable, value, size) => {
    const message = failureOf(slurmEnvironment(name, { [variable]: value }))
    expect(message).toContain(`${variable} is "${value}"`)
    expect(message).toContain(size)
  })

  it.each([
    [several, 'SLURM_PROCID'],
    [oneEach, 'SLURM_NODEID'],
    [several, 'SLURM_STEP_ID', 'SLURM_STEPID'],
    [several, 'SLURM_JOB_ID', 'SLURM_JOBID'],
    [several, 'SLURM_STEP_NUM_TASKS', 'SLURM_NTASKS'],
    [several, 'SLURM_STEP_NUM_NODES', 'SLURM_NNODES', 'SLURM_JOB_NUM_NODES'],
  ])('are an error in %s where %s is missing', (name, variable, ...substitutes) => {
    const all = [variable, ...substitutes]
    const missing = slurmEnvironment(name, Object.fromEntries(all.map((each) => [each, undefined])))
    expect(failureOf(missing)).toContain(`${variable} is not set`)
    const empty = slurmEnvironment(name, Object.fromEntries(all.map((each) => [each, ''])))
    expect(failureOf(empty)).toContain(`${variable} is ""`)
  })

  it('are an error where there are no tasks', () => {
    const env = slurmEnvironment(several, { SLURM_STEP_NUM_TASKS: '0', SLURM_NTASKS: '0' })
    expect(failureOf(env)).toContain('SLURM_STEP_NUM_TASKS is "0"')
  })

  it.each([
    ['SLURM_STEP_NUM_TASKS', 'SLURM_NTASKS'],
    ['SLURM_STEP_NUM_NODES', 'SLURM_NNODES', 'SLURM_JOB_NUM_NODES'],
  ])('are an error where there are more than any run has, in %s', (...names) => {
    const env = slurmEnvironment(several, Object.fromEntries(names.map((name) => [name, '1000000000'])))
    expect(failureOf(env)).toContain(`${names[0]} is "1000000000", and a run has up to 1000000`)
  })

  it('bear long lists of counts', () => {
    const counts = '1(x900000)'
    const env = slurmEnvironment(several, { SLURM_STEP_TASKS_PER_NODE: counts, SLURM_TASKS_PER_NODE: counts })
    expect(identify(env).size).toBe(6)
  })

  it.each(['4294967290', '4294967291'])('are an error in the shell or script of a job, step %s', (step) => {
    const message = failureOf(slurmEnvironment(several, { SLURM_STEP_ID: step }))
    expect(message).toContain(`SLURM_STEP_ID is "${step}"`)
    expect(message).toContain('start me with srun')
  })

  it('are an error where no variable is left', () => {
    const message = failureOf({})
    expect(message).toContain('SLURM_JOB_ID is not set')
    expect(message).toContain('srun')
  })
})
