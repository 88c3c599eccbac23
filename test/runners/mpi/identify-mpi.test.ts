import { describe, expect, test } from 'vitest'
import { checkWorld, identifyMpi, isUniqueRun, tellsSize } from '../../../src/runners/mpi/identify-mpi.ts'
import { slurmEnvironment } from '../../support/environment.ts'

const openMpi = {
  OMPI_COMM_WORLD_RANK: '5',
  OMPI_COMM_WORLD_SIZE: '6',
  OMPI_COMM_WORLD_LOCAL_SIZE: '2',
  OMPI_MCA_orte_num_nodes: '3',
  OMPI_MCA_orte_hnp_uri: '869531648.0;tcp://192.0.2.2,198.51.100.1:54755;tcp6://[2001:db8::2]:55015',
  OMPI_MCA_orte_precondition_transports: 'b123a7844335bc2a-d8eff1109d8e23a2',
  PMIX_NAMESPACE: '869531649',
  PMIX_RANK: '5',
}
const hydra = { PMI_RANK: '1', PMI_SIZE: '4', MPI_LOCALNRANKS: '4', MPI_LOCALRANKID: '1', PMI_FD: '8' }
const here = { host: 'n5' }

describe('under mpirun of Open MPI', () => {
  test('knows its rank, the nodes, and where mpirun is', () => {
    expect(identifyMpi(openMpi, here)).toMatchObject({
      rank: 5,
      size: 6,
      nodes: 3,
      host: 'n5',
      share: { processes: 2 },
      launcherAddresses: ['192.0.2.2', '198.51.100.1', '2001:db8::2'],
      source: 'OMPI_COMM_WORLD_RANK=5 of OMPI_COMM_WORLD_SIZE=6',
    })
  })

  test('has a run key that all ranks share and no other run has', () => {
    const key = (changes: Record<string, string>): unknown => identifyMpi({ ...openMpi, ...changes }, here).runKey
    expect(key({ OMPI_COMM_WORLD_RANK: '0', PMIX_RANK: '0' })).toEqual(key({}))
    expect(key({ OMPI_MCA_orte_precondition_transports: 'another' })).not.toEqual(key({}))
    expect(key({ PMIX_NAMESPACE: 'another' })).not.toEqual(key({}))
    expect(isUniqueRun(openMpi, {})).toBe(true)
  })

  test('is an error where there are more processes than any run has', () => {
    for (const [env, variable] of [
      [openMpi, 'OMPI_COMM_WORLD_SIZE'],
      [hydra, 'PMI_SIZE'],
    ] as const)
      expect(() => identifyMpi({ ...env, [variable]: '1000000000' }, here)).toThrow(
        `${variable} is "1000000000", so there are 1000000000 processes, and a run has up to 1000000`,
      )
  })

  test('inside of an allocation takes the job id of Slurm, and nothing else', () => {
    const slurm = slurmEnvironment('step-4nodes-1task-each-proc1')
    const me = identifyMpi({ ...slurm, ...openMpi }, here)
    expect(me).toMatchObject({ rank: 5, size: 6, runKey: { jobId: slurm.SLURM_JOB_ID } })
  })
})

describe('under Hydra', () => {
  test('knows its rank, and that nothing is unique to the run', () => {
    expect(identifyMpi(hydra, here)).toMatchObject({
      rank: 1,
      size: 4,
      nodes: 1,
      runKey: { jobId: 'mpi', stepId: '0' },
    })
    expect(isUniqueRun(hydra, {})).toBe(false)
  })

  test('takes the run id for what is unique', () => {
    expect(isUniqueRun(hydra, { runId: 'monday' })).toBe(true)
    expect(identifyMpi(hydra, { ...here, runId: 'monday' }).runKey.stepId).toBe('monday')
  })

  test('counts the nodes by the ranks on each', () => {
    expect(identifyMpi({ ...hydra, MPI_LOCALNRANKS: '3' }, here).nodes).toBe(2)
  })
})

describe('the share of its host', () => {
  test('is divided by the ranks there', () => {
    expect(identifyMpi(hydra, here).share).toEqual({ processes: 4, localRank: 1 })
    const flux = {
      FLUX_TASK_RANK: '2',
      FLUX_JOB_SIZE: '8',
      FLUX_JOB_ID: 'f3',
      FLUX_JOB_NNODES: '2',
      FLUX_TASK_LOCAL_ID: '2',
    }
    expect(identifyMpi(flux, here).share).toEqual({ processes: 4, localRank: 2 })
  })

  test('is in a job of Slurm what that has given, too', () => {
    const slurm = slurmEnvironment('batch-script-3nodes-6tasks', {
      SLURM_MEM_PER_NODE: undefined,
      SLURM_MEM_PER_CPU: '1G',
      SLURM_CPUS_PER_TASK: '2',
    })
    const { share } = identifyMpi({ ...slurm, ...openMpi, SLURM_JOB_CPUS_PER_NODE: '8(x3)' }, here)
    expect(share).toMatchObject({
      processes: 2,
      cpus: [
        { amount: 4, source: 'SLURM_CPUS_ON_NODE ÷ 2 tasks' },
        { amount: 2, source: 'SLURM_CPUS_PER_TASK' },
      ],
      memory: [{ amount: 2 ** 31, source: 'SLURM_MEM_PER_CPU × 2 CPUs' }],
    })
    // The variables may be those of the host of mpirun.
    const uneven = identifyMpi({ ...slurm, ...openMpi, SLURM_JOB_CPUS_PER_NODE: '8,2(x2)' }, here).share
    expect(uneven.cpus).toEqual([{ amount: 2, source: 'SLURM_CPUS_PER_TASK' }])
  })

  test('is no matter to die of', () => {
    const { rank, share } = identifyMpi({ ...hydra, MPI_LOCALNRANKS: 'four', MPI_LOCALRANKID: '-1' }, here)
    expect(rank).toBe(1)
    expect(share).toMatchObject({
      processes: 1,
      warnings: [/^MPI_LOCALNRANKS is "four"/, /^MPI_LOCALRANKID is "-1"/].map(
        (text) => expect.stringMatching(text) as string,
      ),
    })
  })
})

test.for([
  ['PALS', { PALS_RANKID: '2', PALS_APID: '4c9b', PMI_SIZE: '8', PMI_RANK: '2' }, { cluster: 'pals' }],
  ['Flux', { FLUX_TASK_RANK: '2', FLUX_JOB_SIZE: '8', FLUX_JOB_ID: 'f3' }, { cluster: 'flux', jobId: 'f3' }],
] as const)('knows its rank under %s, and the run', ([, env, runKey]) => {
  expect(identifyMpi(env, here)).toMatchObject({ rank: 2, size: 8, runKey })
  expect(isUniqueRun(env, {})).toBe(true)
})

describe('under PMIx alone', () => {
  const env = { PMIX_RANK: '2', PMIX_NAMESPACE: 'prterun-n5-77@1' }

  test('has to ask the library for the size', () => {
    expect(tellsSize(env)).toBe(false)
    expect(() => identifyMpi(env, here)).toThrow('no variable tells how many processes there are; install koffi')
    expect(identifyMpi(env, { ...here, world: { rank: 2, size: 4 } })).toMatchObject({ rank: 2, size: 4, nodes: 4 })
  })

  test('refuses a library that is in a world of its own', () => {
    expect(() => identifyMpi(env, { ...here, world: { rank: 0, size: 1 } })).toThrow(/PMIX_RANK is "2" but/)
  })
})

test('under srun is the task of the step', () => {
  const env = { ...slurmEnvironment('step-3nodes-6tasks-proc3'), PMI_RANK: '3', PMI_SIZE: '6', PMI_FD: '9' }
  expect(identifyMpi(env, here)).toMatchObject({ rank: 3, size: 6, source: 'SLURM_PROCID=3 of SLURM_STEP_NUM_TASKS=6' })
  expect(isUniqueRun(env, {})).toBe(true)
})

test('without a launcher takes no world of one for a run', () => {
  expect(() => identifyMpi({}, here)).toThrow(/no MPI launcher that is known here/)
  expect(() => identifyMpi({}, { ...here, world: { rank: 0, size: 1 } })).toThrow(/knows of no other process/)
  expect(identifyMpi({}, { ...here, world: { rank: 1, size: 2 } })).toMatchObject({ rank: 1, size: 2 })
})

test('never lets a library in a world of its own become a second cluster', () => {
  const me = identifyMpi(openMpi, here)
  expect(() => {
    checkWorld(me, { rank: 0, size: 1 })
  }).toThrow(/the MPI library says rank 0 of 1, but the launcher says OMPI_COMM_WORLD_RANK=5 of OMPI_COMM_WORLD_SIZE=6/)
  expect(() => {
    checkWorld(me, { rank: 4, size: 6 })
  }).toThrow(/--mpi-library/)
  checkWorld(me, { rank: 5, size: 6 })
})

test('refuses a rank that the size has no room for', () => {
  expect(() => identifyMpi({ ...hydra, PMI_RANK: '4' }, here)).toThrow(/PMI_RANK is "4" but there are 4 processes/)
})
