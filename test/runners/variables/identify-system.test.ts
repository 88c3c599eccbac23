import { describe, expect, it } from 'vitest'
import { formatRunKey } from '../../../src/identity/run-key.ts'
import { childEnvironment } from '../../../src/components/child-environment.ts'
import { exitStatusOf, messageOf } from '../../../src/errors.ts'
import { completeOptions, type RunnerOptions } from '../../../src/options.ts'
import { chooseRunner } from '../../../src/runners/choose-runner.ts'
import { identifyMpi } from '../../../src/runners/mpi/identify-mpi.ts'
import { identifySystem } from '../../../src/runners/variables/identify-system.ts'
import { endCommandIn, jobAround, type System, systems } from '../../../src/runners/variables/systems.ts'
import { systemEnvironment } from '../../support/environment.ts'
import { type Changes, systemCases } from './system-cases.ts'

describe.each(systemCases)('$fixture', ({ fixture, runner, host, given = {}, is, key, why, refused }) => {
  const identify = async (changes: Changes = {}, more: RunnerOptions = given) =>
    identifySystem(systemEnvironment(fixture, changes), { ...completeOptions(more), runner }, host)

  it('is found by its variables, and tells a process who it is', async () => {
    expect(chooseRunner({ env: systemEnvironment(fixture) }, 'auto')).toEqual({ kind: runner, why })
    const me = await identify()
    expect(me).toMatchObject({ ...is, host })
    expect(formatRunKey(me.runKey)).toBe(key)
  })

  it.each(Object.entries(refused))('ends with 78 and the sentence: %s', async (sentence, changes) => {
    const error: unknown = await identify(changes).catch((reason: unknown) => reason)
    expect(messageOf(error)).toContain(sentence)
    expect(exitStatusOf(error)).toBe(78)
  })

  it('has nothing in its environment that a child would take for its own number', async () => {
    const env = systemEnvironment(fixture)
    const { ofTask = [] } = await identify()
    const child = childEnvironment(env, { keepMpiEnv: false, ofTask })
    expect(chooseRunner({ env: child }, 'auto').kind).toBe('slurm')
    await expect(identifySystem(child, { ...completeOptions(given), runner }, host)).rejects.toThrow(
      /is not set.*, so this is no process of/,
    )
  })

  it('gives way to an MPI launcher and to a step of Slurm', () => {
    const env = systemEnvironment(fixture)
    expect(chooseRunner({ env: { ...env, OMPI_COMM_WORLD_RANK: '1' } }, 'auto').kind).toBe('mpi')
    const step = { SLURM_JOB_ID: '1', SLURM_STEP_ID: '0', SLURMD_NODENAME: host }
    expect(chooseRunner({ env: { ...env, ...step }, thisHost: host }, 'auto').kind).toBe('slurm')
  })

  it('takes the number of processes that is named, and a run id that tells two runs of a job apart', async () => {
    const me = await identify({}, { size: 7, runId: 'second' })
    expect(me.size).toBe(7)
    expect(formatRunKey(me.runKey)).not.toBe(key)
    expect(formatRunKey(me.runKey)).toContain('second')
  })
})

it('every row of the table has a fixture', () => {
  const found = systemCases.map(({ fixture }) => systemEnvironment(fixture))
  for (const { rank } of systems)
    expect(
      found.some((env) => env[rank] !== undefined),
      rank,
    ).toBe(true)
})

it('Kubernetes needs to be told how many there are, and what tells the run from others', async () => {
  const identify = async (given: RunnerOptions) =>
    identifySystem(systemEnvironment('kubernetes'), { ...completeOptions(given), runner: 'kubernetes' }, 'dask-2')
  await expect(identify({ runId: 'x' })).rejects.toThrow(
    'how many processes an Indexed Job of Kubernetes has started; name that by --size',
  )
  await expect(identify({ size: 4 })).rejects.toThrow(
    'but nothing tells this run from others; name that by --run-id or --run-id-from',
  )
})

it('an attempt of AWS Batch, and an element of an array of LSF, is a run of its own', async () => {
  const key = async (fixture: string, runner: System['runner'], changes: Changes) => {
    const options = { ...completeOptions({}), runner }
    return formatRunKey((await identifySystem(systemEnvironment(fixture, changes), options, 'c02')).runKey)
  }
  expect(await key('aws-batch', 'aws-batch', { AWS_BATCH_JOB_ATTEMPT: '2' })).toMatch(/-r1$/)
  expect(await key('lsf-blaunch', 'lsf', { LSB_JOBINDEX: '3' })).toBe('lsf-918_3.0-r0')
})

it('a host that is none of those of OAR is in no job of it, and a script is a process where it has one host', async () => {
  const identify = async (host: string, changes: Changes = {}) =>
    identifySystem(systemEnvironment('oar', changes), { ...completeOptions({}), runner: 'oar' }, host)
  await expect(identify('idpot-3')).rejects.toThrow(
    'has idpot-1.example.org, idpot-2.example.org, idpot-4.example.org, and this host is "idpot-3", so the variables were inherited',
  )
  const alone = { OAR_FILE_NODES: 'fixtures/systems/oar-nodes/4212', OAR_JOB_ID: '4212', SUDO_COMMAND: 'OAR' }
  expect(await identify('idpot-3', alone)).toMatchObject({ rank: 0, size: 1 })
})

it('no job of Grid Engine but an array has numbers of tasks', () => {
  const env = systemEnvironment('grid-engine-array', { SGE_TASK_ID: 'undefined', SGE_TASK_LAST: 'undefined' })
  expect(chooseRunner({ env }, 'auto').kind).toBe('slurm')
})

it('{job_id} of the commands is that of the job, in its script too', () => {
  const jobIdOf = (env: NodeJS.ProcessEnv) => jobAround(env)?.id
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
})

describe('what ends a job', () => {
  it.each([
    ['pbs-pbsdsh', 'pbs', {}, "qdel '1672.mgt1.example.org'"],
    ['grid-engine-array', 'grid-engine', {}, "qdel '4711'"],
    ['oar', 'oar', {}, "oardel '4211'"],
    ['lsf-blaunch', 'lsf', { LSB_JOBID: '77', LSB_JOBINDEX: '0' }, "bkill '77'"],
    ['lsf-blaunch', 'lsf', { LSB_JOBID: '77', LSB_JOBINDEX: '3' }, "bkill '77[3]'"],
    ['lsf-blaunch', 'lsf', { LSB_JOBID: "7'; rm x\u001B" }, String.raw`bkill '7'\''; rm x\u001b'`],
    ['pbs-pbsdsh', 'pbs', { PBS_JOBID: undefined }, undefined],
    ['kubernetes', 'kubernetes', {}, undefined],
  ] as const)('%s: is what people type, with the id of the job', (fixture, runner, changes, command) => {
    expect(endCommandIn(systemEnvironment(fixture, changes), runner)).toBe(command)
  })
})
