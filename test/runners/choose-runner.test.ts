import { expect, test } from 'vitest'
import { flagOf } from '../../src/options/names.ts'
import { chooseRunner, startRunner } from '../../src/runners/choose-runner.ts'
import { slurmEnvironment } from '../support/environment.ts'

const step = slurmEnvironment('step-4nodes-1task-each-proc1')

test('takes Slurm under srun, even where that has set up MPI', () => {
  expect(chooseRunner({ env: step }, 'auto')).toEqual({
    kind: 'slurm',
    why: 'SLURM_STEP_ID is "0", so srun started this process',
  })
  const pmi2 = { ...step, PMI_RANK: step.SLURM_PROCID, PMI_SIZE: step.SLURM_STEP_NUM_TASKS, PMI_FD: '9' }
  expect(chooseRunner({ env: pmi2 }, 'auto').kind).toBe('slurm')
})

test('takes MPI under mpirun, inside of an allocation too', () => {
  const env = { ...step, OMPI_COMM_WORLD_RANK: '3', OMPI_COMM_WORLD_SIZE: '4' }
  expect(chooseRunner({ env }, 'auto')).toEqual({
    kind: 'mpi',
    why: 'OMPI_COMM_WORLD_RANK is "3", so an MPI launcher started this process',
  })
  expect(chooseRunner({ env: { PMI_RANK: '3' } }, 'auto').kind).toBe('mpi')
})

test('takes what is asked for', () => {
  expect(chooseRunner({ env: step }, 'mpi')).toEqual({ kind: 'mpi', why: '--runner mpi says so' })
  expect(chooseRunner({ env: { PMI_RANK: '3' } }, 'slurm').kind).toBe('slurm')
})

test('takes the variables that the options name, whatever launcher there is', () => {
  const options = { env: { ...step, OMPI_COMM_WORLD_RANK: '3' }, rankFrom: 'RANK', sizeFrom: 'SIZE' }
  expect(chooseRunner(options, 'auto')).toEqual({ kind: 'variables', why: 'rankFrom says so' })
  const sources = { rank: 'DASK_HPC_RUNNER_RANK' }
  expect(chooseRunner({ env: step, rank: 0, size: 2, sources }, 'auto')).toEqual({
    kind: 'variables',
    why: 'DASK_HPC_RUNNER_RANK says so',
  })
})

test('refuses what says who a process is beside a runner that does not take its word, unless a site says it for others', () => {
  const options = { env: step, rankFrom: 'RANK', sizeFrom: 'SIZE' }
  expect(() => chooseRunner({ ...options, sources: { rankFrom: '--rank-from' } }, 'slurm')).toThrow(
    new RangeError(
      'Cannot use --rank-from with --runner slurm, which knows that by itself: leave it out, or name --rank-from, --size-from and --run-id-from',
    ),
  )
  expect(() => chooseRunner({ env: step, size: 4, sources: { size: '--size' } }, 'auto')).toThrow(
    'Cannot use --size with --runner slurm',
  )
  expect(() => chooseRunner({ env: {}, size: 4, sources: { size: '--size' } }, 'spread')).toThrow('Cannot use --size')
  expect(chooseRunner({ ...options, sources: { rankFrom: 'DASK_HPC_RUNNER_RANK_FROM' } }, 'slurm').kind).toBe('slurm')
})

test.for([
  ['runId', 'slurm', 'which knows that by itself: leave it out'],
  ['mpiLibrary', 'slurm', 'whose processes do not meet over MPI: leave it out, or add --runner mpi'],
  ['mpiLibrary', 'pbs', 'whose processes do not meet over MPI'],
  ['identity', 'mpi', 'where each process is one of n: leave it out'],
] as const)('refuses %s where the runner is %s, which has no use for it', async ([option, kind, why]) => {
  const flag = flagOf(option)
  const start = startRunner(kind, {
    env: {},
    [option]: option === 'identity' ? 'task' : 'x',
    sources: { [option]: flag },
  })
  await expect(start).rejects.toThrow(`Cannot use ${flag} with --runner ${kind}, ${why}`)
})
