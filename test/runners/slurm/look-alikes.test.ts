import { describe, expect, it } from 'vitest'
import { chooseRunner } from '../../../src/runners/choose-runner.ts'
import { identifySlurm } from '../../../src/runners/slurm/identify-slurm.ts'
import { systemEnvironment } from '../../support/environment.ts'

describe.each([
  { fixture: 'spur-srun', key: { cluster: 'slurm', jobId: '42', stepId: '3', restart: 0 } },
  { fixture: 'psslurm', key: { cluster: 'slurm', jobId: '81', stepId: '0', restart: 0 } },
])('$fixture, which sets variables of Slurm', ({ fixture, key }) => {
  it('has tasks of Slurm, although it sets variables of MPI, too', () => {
    const env = systemEnvironment(fixture)
    expect(chooseRunner({ env }, 'auto').kind).toBe('slurm')
    const is = { rank: 3, size: 4, nodes: 2, share: { localRank: 1, processes: 2 }, runKey: key }
    expect(identifySlurm(env, { identity: 'auto' })).toMatchObject(is)
  })
})

it('an mpirun within a step of Spur is an MPI launcher', () => {
  const within = (changes: Readonly<Record<string, string>>) =>
    chooseRunner({ env: systemEnvironment('spur-srun', changes) }, 'auto').kind
  expect(within({ OMPI_COMM_WORLD_RANK: '0' })).toBe('mpi')
  expect(within({ PMIX_NAMESPACE: 'prterun-node0-1234@1' })).toBe('mpi')
  expect(within({ OMPI_MCA_orte_precondition_transports: 'b123a7844335bc2a-d8eff1109d8e23a2' })).toBe('mpi')
})
