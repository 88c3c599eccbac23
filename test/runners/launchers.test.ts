import { describe, expect, it } from 'vitest'
import { findLauncherVariable } from '../../src/runners/launchers.ts'
import { identifySlurm } from '../../src/runners/slurm/identify-slurm.ts'
import { slurmEnvironment } from '../support/environment.ts'

const task3of6 = 'step-3nodes-6tasks-proc3'

describe('an MPI launcher', () => {
  it.each(['OMPI_COMM_WORLD_RANK', 'MPI_LOCALRANKID', 'FLUX_TASK_RANK', 'PMI_RANK', 'PMIX_RANK', 'PALS_RANKID'])(
    'is an error that names %s, inside of a Slurm step and outside',
    (name) => {
      for (const env of [slurmEnvironment(task3of6, { [name]: '2' }), { [name]: '2' }]) {
        expect(() => identifySlurm(env, { identity: 'auto' })).toThrow(
          expect.objectContaining({
            code: 'ERR_ENVIRONMENT',
            message: expect.stringMatching(
              new RegExp(`${name} is "2".*use --runner mpi, or MPIRunner in place of SLURMRunner`),
            ) as string,
          }),
        )
      }
    },
  )

  it('outranks the variables of the daemon that Slurm started for it', () => {
    const daemon = slurmEnvironment('step-4nodes-1task-each-proc0', { OMPI_COMM_WORLD_RANK: '0' })
    expect(findLauncherVariable(daemon)).toBe('OMPI_COMM_WORLD_RANK')
  })

  it.each<[string, Record<string, string>]>([
    ['PMI_RANK', { PMI_RANK: '3', PMI_SIZE: '4' }],
    ['PMIX_RANK', { PMIX_RANK: '3', PMIX_NAMESPACE: 'prterun-node0-1234@1' }],
    ['PALS_RANKID', { PALS_RANKID: '3', PALS_APID: '0d6b2f6c-7f5c-4b0c-8b38-0c8f4ac7a3f5' }],
  ])('is told by %s even where its rank happens to be that of the task', (name, variables) => {
    expect(findLauncherVariable(slurmEnvironment(task3of6, variables))).toBe(name)
  })

  it('is told by PMI_RANK in a batch script, which is no step of Slurm', () => {
    expect(findLauncherVariable(slurmEnvironment('batch-script-3nodes-6tasks', { PMI_RANK: '0' }))).toBe('PMI_RANK')
  })

  it('is not suspected in a variable that is empty', () => {
    expect(findLauncherVariable(slurmEnvironment(task3of6, { OMPI_COMM_WORLD_RANK: '', PMI_RANK: '' }))).toBeUndefined()
  })
})

describe('srun itself', () => {
  it.each<[string, Record<string, string>]>([
    ['pmi2', { PMI_RANK: '3', PMI_SIZE: '6', PMI_FD: '11', PMI_JOBID: '2.0' }],
    ['pmix', { PMIX_RANK: '3', PMIX_NAMESPACE: 'slurm.pmix.2.0' }],
    ['cray_shasta', { PALS_RANKID: '3', PALS_APID: '2.0', PMI_RANK: '3', PMI_SIZE: '6' }],
  ])('with --mpi=%s is no MPI launcher', (_plugin, variables) => {
    const env = slurmEnvironment(task3of6, variables)
    expect(identifySlurm(env, { identity: 'auto' })).toMatchObject({ rank: 3, size: 6 })
  })
})
