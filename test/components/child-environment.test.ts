import { describe, expect, it } from 'vitest'
import { childEnvironment, clientEnvironment, workerEnvironment } from '../../src/components/child-environment.ts'
import { twinsOf, withTwins } from '../../src/util/container-twins.ts'
import { slurmEnvironment } from '../support/environment.ts'

const ofTheLauncher = [
  'SLURM_STEP_ID',
  'SLURM_STEPID',
  'PMI_RANK',
  'PMI_SIZE',
  'PMIX_RANK',
  'PMIX_NAMESPACE',
  'OMPI_COMM_WORLD_RANK',
  'MPI_LOCALNRANKS',
  'HYDI_CONTROL_FD',
  'PALS_RANKID',
  'FLUX_TASK_RANK',
]
const launched = Object.fromEntries(ofTheLauncher.map((name) => [name, '1']))
const others = {
  ...{ PATH: '/bin', HOME: '/home/me', SLURM_JOB_ID: '7', SLURM_STEP_NODELIST: 'n1', MPICH_VERSION: '4' },
  SLURM_OVERLAP: '1',
}

describe('childEnvironment', () => {
  it.each(ofTheLauncher)('does not say %s to a child', (name) => {
    expect(childEnvironment({ ...others, [name]: '1' }, { keepMpiEnv: false })).toEqual(others)
  })

  it('does not say the rank to a child in a variable of another launcher', () => {
    const env = { ...others, MY_RANK: '1', MY_SIZE: '4' }
    const options = { keepMpiEnv: false, ofTask: ['MY_RANK'] }
    expect(childEnvironment(env, options)).toEqual({ ...others, MY_SIZE: '4' })
    expect(childEnvironment(env, { ...options, keepMpiEnv: true })).toEqual(env)
  })

  it('says them all where that is asked for', () => {
    expect(childEnvironment({ ...others, ...launched }, { keepMpiEnv: true })).toEqual({ ...others, ...launched })
  })

  it('keeps our own variables from a child in either case', () => {
    const ours = withTwins({ DASK_HPC_RUNNER_MARK: 'of an outer run', DASK_HPC_RUNNER_SCHEDULER_FILE: '/x' })
    expect(childEnvironment({ ...others, ...ours }, { keepMpiEnv: false })).toEqual(others)
    expect(childEnvironment({ ...others, ...ours }, { keepMpiEnv: true })).toEqual(others)
  })

  it('leaves the rest of what Slurm says', () => {
    const env = slurmEnvironment('step-4nodes-1task-each-proc1')
    const child = childEnvironment(env, { keepMpiEnv: false })
    const removed = Object.keys(env).filter((name) => !(name in child))
    expect(removed).toContain('SLURM_STEP_ID')
    expect(removed.filter((name) => !/^(SLURM_STEP_?ID|SLURM_CPU_BIND\w*|PMI_\w+|PMIX_\w+)$/.test(name))).toEqual([])
    expect(child.SLURM_PROCID).toBe('1')
  })

  it('lets a child start steps beside the task that it is in, not bound as that is', () => {
    const bound = { SLURM_JOB_ID: '7', SLURM_CPU_BIND: 'quiet,mask_cpu:0x1', SLURM_CPU_BIND_TYPE: 'mask_cpu:' }
    expect(childEnvironment(bound, { keepMpiEnv: false })).toEqual({
      SLURM_JOB_ID: '7',
      ...withTwins({ SLURM_OVERLAP: '1' }),
    })
    expect(childEnvironment({ ...bound, SLURM_OVERLAP: '0' }, { keepMpiEnv: true })).toMatchObject({
      SLURM_OVERLAP: '0',
    })
    expect(childEnvironment({ PATH: '/bin' }, { keepMpiEnv: false })).toEqual({ PATH: '/bin' })
  })

  it('changes nothing of what it was given', () => {
    const env = Object.freeze({ ...others, ...launched })
    childEnvironment(env, { keepMpiEnv: false })
    expect(env).toEqual({ ...others, ...launched })
  })
})

describe('workerEnvironment', () => {
  it('has one thread for each of the libraries that would take all cores', () => {
    expect(workerEnvironment({ PATH: '/bin' })).toEqual({
      PATH: '/bin',
      ...withTwins({
        OMP_NUM_THREADS: '1',
        MKL_NUM_THREADS: '1',
        OPENBLAS_NUM_THREADS: '1',
        MALLOC_TRIM_THRESHOLD_: '65536',
      }),
    })
  })

  it('leaves what the user has set', () => {
    const env = workerEnvironment({ OMP_NUM_THREADS: '8', APPTAINERENV_MKL_NUM_THREADS: '4' })
    expect(env).toMatchObject({ OMP_NUM_THREADS: '8', MKL_NUM_THREADS: '1', APPTAINERENV_MKL_NUM_THREADS: '4' })
    expect(env).not.toHaveProperty('APPTAINERENV_OMP_NUM_THREADS')
  })
})

it('a variable has a twin for each of the two programs that start containers', () => {
  expect(twinsOf('X')).toEqual(['APPTAINERENV_X', 'SINGULARITYENV_X'])
  expect(withTwins({ X: '1', Y: undefined })).toEqual({ X: '1', APPTAINERENV_X: '1', SINGULARITYENV_X: '1' })
})

describe('clientEnvironment', () => {
  const place = { schedulerAddress: 'tcp://10.0.0.1:8786', schedulerFile: '/x/s.json', nWorkers: 2 }

  it('says where the cluster is, as Dask and our library read it', () => {
    expect(clientEnvironment({ PATH: '/bin', DASK_SCHEDULER_ADDRESS: 'tcp://old:1' }, place)).toEqual({
      PATH: '/bin',
      DASK_SCHEDULER_ADDRESS: 'tcp://10.0.0.1:8786',
      DASK_HPC_RUNNER_SCHEDULER_FILE: '/x/s.json',
      DASK_HPC_RUNNER_N_WORKERS: '2',
      ...Object.fromEntries(
        ['APPTAINERENV', 'SINGULARITYENV'].flatMap((prefix) => [
          [`${prefix}_DASK_SCHEDULER_ADDRESS`, 'tcp://10.0.0.1:8786'],
          [`${prefix}_DASK_HPC_RUNNER_SCHEDULER_FILE`, '/x/s.json'],
          [`${prefix}_DASK_HPC_RUNNER_N_WORKERS`, '2'],
        ]),
      ),
    })
  })

  it('says when the job ends, where that is known', () => {
    const end = { DASK_HPC_RUNNER_END_TIME: '1800000600', APPTAINERENV_DASK_HPC_RUNNER_END_TIME: '1800000600' }
    expect(clientEnvironment({}, { ...place, endTime: 1_800_000_600 })).toMatchObject(end)
    expect(clientEnvironment({}, place)).not.toHaveProperty('DASK_HPC_RUNNER_END_TIME')
  })

  it('names no file of a cluster that was found by its address, and not one that was inherited', () => {
    const inherited = {
      DASK_HPC_RUNNER_SCHEDULER_FILE: '/of/another.json',
      APPTAINERENV_DASK_HPC_RUNNER_SCHEDULER_FILE: '/of/another.json',
    }
    const names = Object.keys(clientEnvironment(inherited, { ...place, schedulerFile: undefined }))
    expect(names.filter((name) => name.includes('SCHEDULER_FILE'))).toEqual([])
  })

  it('has Dask try to connect for longer, unless the user has said for how long', () => {
    const variable = 'DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT'
    const early = { ...place, connectTimeout: '300s' }
    expect(clientEnvironment({}, place)).not.toHaveProperty(variable)
    expect(clientEnvironment({}, early)).toMatchObject({ [variable]: '300s', [`APPTAINERENV_${variable}`]: '300s' })
    expect(clientEnvironment({ [variable]: '7s' }, early)).toMatchObject({ [variable]: '7s' })
  })

  it('says what links to the dashboard, unless the user has said so', () => {
    const variable = 'DASK_DISTRIBUTED__DASHBOARD__LINK'
    const linked = { ...place, dashboardLink: '/x/{port}' }
    expect(clientEnvironment({}, place)).not.toHaveProperty(variable)
    expect(clientEnvironment({}, linked)).toMatchObject({
      [variable]: '/x/{port}',
      [`SINGULARITYENV_${variable}`]: '/x/{port}',
    })
    expect(clientEnvironment({ [variable]: 'mine' }, linked)).toMatchObject({ [variable]: 'mine' })
  })

  it('says to containers which certificates Dask needs, too', () => {
    const tls = { caFile: '/ca.pem', cert: '/cert.pem', key: '/key.pem' }
    expect(clientEnvironment({}, { ...place, tls })).toMatchObject({
      APPTAINERENV_DASK_DISTRIBUTED__COMM__TLS__CA_FILE: '/ca.pem',
      SINGULARITYENV_DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT: '/cert.pem',
    })
  })

  it('says to containers those of a run that its environment has', () => {
    const names = { DASK_DISTRIBUTED__COMM__TLS__CA_FILE: '/ca', DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION: 'True' }
    expect(clientEnvironment(names, place)).toMatchObject({
      APPTAINERENV_DASK_DISTRIBUTED__COMM__TLS__CA_FILE: '/ca',
      SINGULARITYENV_DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION: 'True',
    })
  })

  it('lets the program of a batch script start steps beside the cluster', () => {
    expect(clientEnvironment({ SLURM_JOB_ID: '7' }, place)).toMatchObject({ SLURM_OVERLAP: '1' })
  })

  it('never sets DASK_SCHEDULER, which Dask reads as the name of a scheduler for .compute()', () => {
    expect(clientEnvironment({}, place)).not.toHaveProperty('DASK_SCHEDULER')
  })
})
