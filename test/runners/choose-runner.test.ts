import { expect, test } from 'vitest'
import { chooseRunner } from '../../src/runners/choose-runner.ts'
import { slurmEnvironment } from '../support/environment.ts'

const step = slurmEnvironment('step-4nodes-1task-each-proc1')

test('takes Slurm under srun, even where that has set up MPI', () => {
  expect(chooseRunner(step, 'auto')).toEqual({
    kind: 'slurm',
    why: 'SLURM_STEP_ID is "0", so srun started this process',
  })
  const pmi2 = { ...step, PMI_RANK: step.SLURM_PROCID, PMI_SIZE: step.SLURM_STEP_NUM_TASKS, PMI_FD: '9' }
  expect(chooseRunner(pmi2, 'auto').kind).toBe('slurm')
})

test('takes MPI under mpirun, inside of an allocation too', () => {
  const env = { ...step, OMPI_COMM_WORLD_RANK: '3', OMPI_COMM_WORLD_SIZE: '4' }
  expect(chooseRunner(env, 'auto')).toEqual({
    kind: 'mpi',
    why: 'OMPI_COMM_WORLD_RANK is "3", so an MPI launcher started this process',
  })
  expect(chooseRunner({ PMI_RANK: '3' }, 'auto').kind).toBe('mpi')
})

test('takes what is asked for', () => {
  expect(chooseRunner(step, 'mpi')).toEqual({ kind: 'mpi', why: '--runner mpi says so' })
  expect(chooseRunner({ PMI_RANK: '3' }, 'slurm').kind).toBe('slurm')
})
