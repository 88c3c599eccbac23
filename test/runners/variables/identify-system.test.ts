import { describe, expect, it } from 'vitest'
import { formatRunKey } from '../../../src/identity/run-key.ts'
import { exitStatusOf } from '../../../src/errors.ts'
import { completeOptions, type RunnerOptions } from '../../../src/options.ts'
import { chooseRunner } from '../../../src/runners/choose-runner.ts'
import { identifyMpi } from '../../../src/runners/mpi/identify-mpi.ts'
import { identifySystem } from '../../../src/runners/variables/identify-system.ts'
import { jobIdOf, type System, systems } from '../../../src/runners/variables/systems.ts'
import { systemEnvironment } from '../../support/environment.ts'

type Changes = Readonly<Record<string, string | undefined>>

interface Case {
  readonly fixture: string
  readonly runner: System['runner']
  readonly host: string
  /** What the system does not say. */
  readonly given?: RunnerOptions
  /** Who the process of the fixture is. */
  readonly is: object
  readonly key: string
  readonly why: string
  /** Changes of the environment by the sentence that they end with. */
  readonly refused: Readonly<Record<string, Changes>>
}

const cases: readonly Case[] = [
  {
    fixture: 'aws-batch',
    runner: 'aws-batch',
    host: 'ip-10-0-3-20',
    is: { rank: 2, size: 4, nodes: 4, share: { processes: 1, localRank: 0 }, launcherAddresses: ['10.0.3.17'] },
    key: 'aws-batch-7f3c2a10-0b1d-4a53-9d5e-3f0f8a7c1b22.0-r0',
    why: 'AWS_BATCH_JOB_NODE_INDEX is "2", so this is a process of a multi-node parallel job of AWS Batch',
    refused: {
      'AWS_BATCH_JOB_NODE_INDEX is "two", which is not a whole number': { AWS_BATCH_JOB_NODE_INDEX: 'two' },
      'but nothing tells how many processes a multi-node parallel job of AWS Batch has started': {
        AWS_BATCH_JOB_NUM_NODES: undefined,
      },
      'AWS_BATCH_JOB_NUM_NODES is "x", which is not a whole number': { AWS_BATCH_JOB_NUM_NODES: 'x' },
      'AWS_BATCH_JOB_NUM_NODES=0, and a run has at least 1 process': { AWS_BATCH_JOB_NUM_NODES: '0' },
      'AWS_BATCH_JOB_NODE_INDEX=2 but AWS_BATCH_JOB_NUM_NODES=2, and tasks count from 0': {
        AWS_BATCH_JOB_NUM_NODES: '2',
      },
      'AWS_BATCH_JOB_NODE_INDEX is "2", but AWS_BATCH_JOB_ID is not set': { AWS_BATCH_JOB_ID: undefined },
      'AWS_BATCH_JOB_ATTEMPT is "first", which is not a whole number': { AWS_BATCH_JOB_ATTEMPT: 'first' },
      'AWS_BATCH_JOB_NODE_INDEX is "0" and AWS_BATCH_JOB_MAIN_NODE_INDEX is "0", but AWS_BATCH_JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS is "10.0.3.17", which only other nodes have':
        { AWS_BATCH_JOB_NODE_INDEX: '0' },
    },
  },
  {
    fixture: 'lsf-jsrun',
    runner: 'lsf',
    host: 'c02.example.org',
    // The host of the script runs no task.
    is: { rank: 3, size: 4, nodes: 3, share: { processes: 2, localRank: 1 } },
    key: 'lsf-917.0-r0',
    why: 'JSM_NAMESPACE_RANK is "3", so this is a process of jsrun of LSF',
    refused: {
      'JSM_NAMESPACE_RANK is "-1", which is not a whole number': { JSM_NAMESPACE_RANK: '-1' },
      'but nothing tells how many processes jsrun of LSF has started': { JSM_NAMESPACE_SIZE: undefined },
      'JSM_NAMESPACE_RANK=3 but JSM_NAMESPACE_SIZE=3': { JSM_NAMESPACE_SIZE: '3' },
      'JSM_NAMESPACE_RANK is "3", but LSB_JOBID is not set': { LSB_JOBID: undefined },
      'LSB_MCPU_HOSTS is "c08 4", and this host is "c02.example.org", so the variables were inherited from another job':
        {
          LSB_MCPU_HOSTS: 'c08 4',
        },
    },
  },
  {
    fixture: 'lsf-blaunch',
    runner: 'lsf',
    host: 'c02',
    is: { rank: 3, size: 4, nodes: 2, share: { processes: 2 } },
    key: 'lsf-918.0-r0',
    why: 'LSF_PM_TASKID is "4", so this is a process of blaunch of LSF',
    refused: {
      'LSF_PM_TASKID is "0", and tasks count from 1': { LSF_PM_TASKID: '0' },
      'LSF_PM_TASKID is "4.5", which is not a whole number': { LSF_PM_TASKID: '4.5' },
      'LSF_PM_TASKID=5 but 4 slots in LSB_MCPU_HOSTS, and tasks count from 1': { LSF_PM_TASKID: '5' },
      'but nothing tells how many processes blaunch of LSF has started; name that by --size': {
        LSB_MCPU_HOSTS: undefined,
      },
      'LSB_MCPU_HOSTS is "c01 c02", which is not a list such as': { LSB_MCPU_HOSTS: 'c01 c02' },
      'LSB_MCPU_HOSTS is "c07 2 c08 2", and this host is "c02"': { LSB_MCPU_HOSTS: 'c07 2 c08 2' },
      'LSF_PM_TASKID is "4", but LSB_JOBID is ""': { LSB_JOBID: '' },
    },
  },
  {
    fixture: 'pbs-pbsdsh',
    runner: 'pbs',
    host: 'n2',
    is: { rank: 3, size: 4, nodes: 2, share: { processes: 2 } },
    key: 'pbs-1672.mgt1.example.org.0-r0',
    why: 'PBS_VNODENUM is "3", so this is a process of pbsdsh of PBS',
    refused: {
      'PBS_VNODENUM is "x", which is not a whole number': { PBS_VNODENUM: 'x' },
      'but nothing tells how many processes pbsdsh of PBS has started; name that by --size': { PBS_NP: undefined },
      'PBS_VNODENUM=3 but PBS_NP=3': { PBS_NP: '3' },
      'PBS_VNODENUM is "3", but PBS_JOBID is not set': { PBS_JOBID: undefined },
      'PBS_TASKNUM is "1" and PBS_NODENUM is "0", so this is the script of the job and not one of its tasks; start me with pbsdsh':
        { PBS_TASKNUM: '1', PBS_NODENUM: '0', PBS_VNODENUM: '0' },
    },
  },
  {
    fixture: 'grid-engine-array',
    runner: 'grid-engine',
    host: 'n2',
    is: { rank: 2, size: 4, nodes: 4, share: { processes: 1, cpus: [{ amount: 4, source: 'NSLOTS' }] } },
    key: 'grid-engine-4711.0-r0',
    why: 'SGE_TASK_ID is "31", so this is a process of an array job of Grid Engine',
    refused: {
      'SGE_TASK_ID is "a", which is not a whole number': { SGE_TASK_ID: 'a' },
      'SGE_TASK_ID is "31" but SGE_TASK_FIRST is not set': { SGE_TASK_FIRST: undefined },
      'SGE_TASK_ID is "31" but SGE_TASK_LAST is not set': { SGE_TASK_LAST: undefined },
      'SGE_TASK_LAST is "undefined", which is not a whole number': { SGE_TASK_LAST: 'undefined' },
      'SGE_TASK_ID is "31" but SGE_TASK_STEPSIZE is "0"': { SGE_TASK_STEPSIZE: '0' },
      'SGE_TASK_ID is "32" but SGE_TASK_FIRST is "11" and SGE_TASK_STEPSIZE is "10"': { SGE_TASK_ID: '32' },
      'SGE_TASK_ID is "1" but SGE_TASK_FIRST is "11"': { SGE_TASK_ID: '1' },
      'SGE_TASK_ID=51 but SGE_TASK_FIRST=11 to SGE_TASK_LAST=41': { SGE_TASK_ID: '51' },
      'SGE_TASK_LAST is "1" but SGE_TASK_FIRST is "11"': { SGE_TASK_LAST: '1' },
      'SGE_TASK_ID is "31", but JOB_ID is not set': { JOB_ID: undefined },
    },
  },
  {
    fixture: 'oar',
    runner: 'oar',
    host: 'idpot-4',
    is: { rank: 2, size: 3, nodes: 3, share: { processes: 1, localRank: 0 } },
    key: 'oar-4211.0-r0',
    why: 'OAR_FILE_NODES is "fixtures/systems/oar-nodes/4211", so this is a process of oarsh of OAR',
    refused: {
      'OAR_FILE_NODES is "/nowhere/4211", which cannot be read (ENOENT)': { OAR_FILE_NODES: '/nowhere/4211' },
      'OAR_FILE_NODES is "/dev/null", which names no host': { OAR_FILE_NODES: '/dev/null' },
      'oar-nodes/4211" but OAR_JOB_ID is "4212", so one was inherited from another job': { OAR_JOB_ID: '4212' },
      'oar-nodes/4211", but OAR_JOB_ID is not set': { OAR_JOB_ID: undefined },
      'SUDO_COMMAND is "OAR" and OAR_FILE_NODES has 3 hosts, so this is the script of the job and not one of its tasks':
        { SUDO_COMMAND: 'OAR' },
    },
  },
  {
    fixture: 'kubernetes',
    runner: 'kubernetes',
    host: 'dask-2',
    given: { size: 4, runIdFrom: 'JOB_UID' },
    is: { rank: 2, size: 4, nodes: 4, share: { processes: 1 } },
    key: 'kubernetes-0d6b2f6c-7f5c-4b0c-8b38-0c8f4ac7a3f5.0-r0',
    why: 'JOB_COMPLETION_INDEX is "2", so this is a process of an Indexed Job of Kubernetes',
    refused: {
      'JOB_COMPLETION_INDEX is "x", which is not a whole number': { JOB_COMPLETION_INDEX: 'x' },
      'JOB_COMPLETION_INDEX=4 but size 4, and tasks count from 0': { JOB_COMPLETION_INDEX: '4' },
      'JOB_UID is not set, and runIdFrom names it': { JOB_UID: undefined },
    },
  },
]

describe.each(cases)('$fixture', ({ fixture, runner, host, given = {}, is, key, why, refused }) => {
  const identify = (changes: Changes = {}, more: RunnerOptions = given) =>
    identifySystem(systemEnvironment(fixture, changes), { ...completeOptions(more), runner }, host)

  it('is found by its variables, and tells a process who it is', () => {
    expect(chooseRunner({ env: systemEnvironment(fixture) }, 'auto')).toEqual({ kind: runner, why })
    const me = identify()
    expect(me).toMatchObject({ ...is, host })
    expect(formatRunKey(me.runKey)).toBe(key)
  })

  it.each(Object.entries(refused))('ends with 78 and the sentence: %s', (sentence, changes) => {
    expect(() => identify(changes)).toThrow(sentence)
    expect(statusOf(() => identify(changes))).toBe(78)
  })

  it('has nothing in its environment that a child would take for its own number', () => {
    const env = systemEnvironment(fixture)
    const { ofTask = [] } = identify()
    const child = Object.fromEntries(Object.entries(env).filter(([name]) => !ofTask.includes(name)))
    expect(chooseRunner({ env: child }, 'auto').kind).toBe('slurm')
    expect(() => identifySystem(child, { ...completeOptions(given), runner }, host)).toThrow(
      /is not set.*, so this is no process of/,
    )
  })

  it('gives way to an MPI launcher and to a step of Slurm', () => {
    const env = systemEnvironment(fixture)
    expect(chooseRunner({ env: { ...env, OMPI_COMM_WORLD_RANK: '1' } }, 'auto').kind).toBe('mpi')
    expect(chooseRunner({ env: { ...env, SLURM_JOB_ID: '1', SLURM_STEP_ID: '0' } }, 'auto').kind).toBe('slurm')
  })

  it('takes the number of processes that is named, and a run id that tells two runs of a job apart', () => {
    const me = identify({}, { size: 7, runId: 'second' })
    expect(me.size).toBe(7)
    expect(formatRunKey(me.runKey)).not.toBe(key)
    expect(formatRunKey(me.runKey)).toContain('second')
  })
})

it('every row of the table has a fixture', () => {
  const found = cases.map(({ fixture }) => systemEnvironment(fixture))
  for (const { rank } of systems)
    expect(
      found.some((env) => env[rank] !== undefined),
      rank,
    ).toBe(true)
})

it('Kubernetes needs to be told how many there are, and what tells the run from others', () => {
  const identify = (given: RunnerOptions) => () =>
    identifySystem(systemEnvironment('kubernetes'), { ...completeOptions(given), runner: 'kubernetes' }, 'dask-2')
  expect(identify({ runId: 'x' })).toThrow(
    'how many processes an Indexed Job of Kubernetes has started; name that by --size',
  )
  expect(identify({ size: 4 })).toThrow(
    'but nothing tells this run from others; name that by --run-id or --run-id-from',
  )
})

it('an attempt of AWS Batch, and an element of an array of LSF, is a run of its own', () => {
  const key = (fixture: string, runner: System['runner'], changes: Changes) =>
    formatRunKey(identifySystem(systemEnvironment(fixture, changes), { ...completeOptions({}), runner }, 'c02').runKey)
  expect(key('aws-batch', 'aws-batch', { AWS_BATCH_JOB_ATTEMPT: '2' })).toMatch(/-r1$/)
  expect(key('lsf-blaunch', 'lsf', { LSB_JOBINDEX: '3' })).toBe('lsf-918_3.0-r0')
})

it('a host that is none of those of OAR is in no job of it, and a script is a process where it has one host', () => {
  const identify = (host: string, changes: Changes = {}) =>
    identifySystem(systemEnvironment('oar', changes), { ...completeOptions({}), runner: 'oar' }, host)
  expect(() => identify('idpot-3')).toThrow(
    'has idpot-1.example.org, idpot-2.example.org, idpot-4.example.org, and this host is "idpot-3", so the variables were inherited',
  )
  const alone = { OAR_FILE_NODES: 'fixtures/systems/oar-nodes/4212', OAR_JOB_ID: '4212', SUDO_COMMAND: 'OAR' }
  expect(identify('idpot-3', alone)).toMatchObject({ rank: 0, size: 1 })
})

it('no job of Grid Engine but an array has numbers of tasks', () => {
  const env = systemEnvironment('grid-engine-array', { SGE_TASK_ID: 'undefined', SGE_TASK_LAST: 'undefined' })
  expect(chooseRunner({ env }, 'auto').kind).toBe('slurm')
})

it('{job_id} of the commands is that of the job, in its script too', () => {
  expect(jobIdOf(systemEnvironment('lsf-blaunch', { LSF_PM_TASKID: undefined }))).toBe('918')
  expect(jobIdOf(systemEnvironment('aws-batch'))).toBe('7f3c2a10-0b1d-4a53-9d5e-3f0f8a7c1b22')
  expect(jobIdOf(systemEnvironment('kubernetes'))).toBeUndefined()
  expect(jobIdOf(systemEnvironment('grid-engine-array', { SGE_TASK_ID: 'undefined' }))).toBe('4711')
  expect(jobIdOf(systemEnvironment('oar', { OAR_FILE_NODES: undefined }))).toBe('4211')
  // Not only Grid Engine has a variable of this name.
  expect(jobIdOf({ JOB_ID: '4711' })).toBeUndefined()
})

it('flux run is an MPI launcher, whose processes meet at the scheduler file where there is no MPI', () => {
  const env = systemEnvironment('flux')
  expect(chooseRunner({ env }, 'auto').kind).toBe('mpi')
  expect(identifyMpi(env, { host: 'n2' })).toMatchObject({
    ...{ rank: 3, size: 4, nodes: 2, share: { processes: 2, localRank: 1 } },
    runKey: { cluster: 'flux', jobId: 'f3ETxsR9H' },
  })
  const changed = (changes: Changes) => () => identifyMpi(systemEnvironment('flux', changes), { host: 'n2' })
  expect(changed({ FLUX_JOB_SIZE: undefined })).toThrow(
    'FLUX_TASK_RANK is "3", but no variable tells how many processes',
  )
  expect(changed({ FLUX_JOB_SIZE: '3' })).toThrow('FLUX_TASK_RANK is "3" but there are 3 processes')
  expect(changed({ FLUX_TASK_RANK: 'x' })).toThrow('FLUX_TASK_RANK is "x", which is not a whole number')
})

function statusOf(run: () => unknown): number | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return exitStatusOf(error)
  }
}
