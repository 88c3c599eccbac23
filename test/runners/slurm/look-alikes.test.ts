import { describe, expect, it } from 'vitest'
import { chooseRunner } from '../../../src/runners/choose-runner.ts'
import { identifySlurm } from '../../../src/runners/slurm/identify-slurm.ts'
import { systemEnvironment } from '../../support/environment.ts'

describe.each([
  { fixture: 'spur-srun', key: { cluster: 'slurm', jobId: '42', stepId: '3', restart: 0 } },
  { fixture: 'psslurm', key: { cluster: 'slurm', jobId: '81', stepId: '0', restart: 0 } },
])('$fixture, which sets variables of Slurm', ({ fixture, key }) => {
  const identify = (changes: Readonly<Record<string, string | undefined>> = {}) =>
    identifySlurm(systemEnvironment(fixture, changes), { identity: 'auto' })

  it('has tasks of Slurm, although it sets variables of MPI, too', () => {
    expect(chooseRunner({ env: systemEnvironment(fixture) }, 'auto').kind).toBe('slurm')
    expect(identify()).toMatchObject({ rank: 3, size: 4, nodes: 2, share: { localRank: 1, processes: 2 }, runKey: key })
  })

  it.each([
    ['SLURM_JOB_ID is not set', { SLURM_JOB_ID: undefined, SLURM_JOBID: undefined }],
    [
      'SLURM_STEP_ID is not set, so this is the script',
      { SLURM_STEP_ID: undefined, SLURM_STEPID: undefined, PMI_RANK: '', PMIX_RANK: '' },
    ],
    [
      'SLURM_PROCID is "x", which is not a whole number',
      { SLURM_PROCID: 'x', SPUR_PROCID: 'x', OMPI_COMM_WORLD_RANK: '', PMI_RANK: '', PMIX_RANK: '' },
    ],
    [
      'SLURM_NTASKS is "6" but SLURM_STEP_NUM_TASKS is "4", so they were inherited from another step',
      { SLURM_NTASKS: '6' },
    ],
  ])('says so where %s', (sentence, changes) => {
    expect(() => identify(changes)).toThrow(sentence)
  })
})

it('an mpirun within a step of Spur is an MPI launcher', () => {
  const within = (changes: Readonly<Record<string, string>>) =>
    chooseRunner({ env: systemEnvironment('spur-srun', changes) }, 'auto').kind
  expect(within({ OMPI_COMM_WORLD_RANK: '0' })).toBe('mpi')
  expect(within({ PMIX_NAMESPACE: 'prterun-node0-1234@1' })).toBe('mpi')
  expect(within({ OMPI_MCA_orte_precondition_transports: 'b123a7844335bc2a-d8eff1109d8e23a2' })).toBe('mpi')
})
