import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { programs } from '../support/cluster.ts'
import { asRoot } from '../support/mpi.ts'
import { expectNoAlarm } from '../support/slurm/no-alarm.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'

const noMpi = process.env.DASK_HPC_RUNNER_TEST_NO_MPI !== undefined
const test = slurmTest()
const examples = join(programs, '../../examples')
const three = ['--nodes=3', '--ntasks=3']
const client = ['--', 'python', join(programs, 'workers.py'), '2']
const workers = ['run', ...client]
const byMpi = ['dask-hpc-runner', 'run', '--runner', 'mpi', '--mpi-library', 'libmpich.so.12', ...client]
/**
 * The hosts have a copy of the program alone, which finds koffi by NODE_PATH. Between several hosts MPI_Finalize
 * of Debian's MPICH 4.0 with UCX hangs now and then, in a program of three calls too; less by plain TCP. The run
 * says so and goes on.
 */
const env = { ...asRoot, NODE_PATH: join(programs, '../../node_modules'), UCX_TLS: 'tcp' }
const exports = Object.entries(env).map(([name, value]) => `export ${name}=${value}\n`)

describe.skipIf(noMpi)('on several hosts', () => {
  for (const [launcher, command] of [
    ['mpirun of Open MPI', 'mpirun.openmpi'],
    ['mpiexec.hydra of MPICH', 'mpiexec.hydra'],
  ] as const) {
    test(`${launcher} in an allocation of three hosts gives the program's status to the job`, async ({ work }) => {
      const run = `dask-hpc-runner run -- python ${join(programs, 'end.py')} 3`
      const script = `#!/bin/bash\n${exports.join('')}${command} -n 3 ${run}\n`
      const job = await work.sbatch(script, three)
      await work.expectEnd(job, { JobState: 'FAILED', ExitCode: '3:0' })
      await work.expectNothingLeft()
    })
  }

  test.for(['mpirun.openmpi', 'mpiexec.hydra'])(
    'mpi.sbatch of the examples runs as it is, by %s',
    async (mpirun, { work }) => {
      await work.write('mpirun', `#!/bin/sh\nexec ${mpirun} "$@"\n`)
      await chmod(work.path('mpirun'), 0o755)
      await work.write('client.py', await readFile(join(examples, 'client.py'), 'utf8'))
      const path = `PATH=${work.directory}:${work.slurm.env.PATH ?? ''}`
      const exported = ['ALL', path, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)]
      const job = await work.sbatch(join(examples, 'mpi.sbatch'), [`--export=${exported.join(',')}`])
      await work.expectEnd(job, { JobState: 'COMPLETED', ExitCode: '0:0' })
      const output = await work.outputOf(job)
      expect(output).toContain('sum of squares: 285\n')
      expect(output).toContain('[0 scheduler] the processes meet by a broadcast over MPI: libmpi')
      expectNoAlarm(output.replaceAll(/^.*MPI_Finalize did not return.*$/gm, ''))
      await work.expectNothingLeft()
    },
  )

  test('srun --mpi=pmi2: --runner mpi meets over MPI, with the task of the step for rank', async ({ work }) => {
    const run = work.start(['srun', ...three, '--mpi=pmi2', ...byMpi], env)
    await run.expectStatus(0)
    expect(run.stdout).toContain('workers [2]\nresult 21 on 2\n')
    expect(run.stderr).toContain('the processes meet by a broadcast over MPI: libmpich.so.12')
    await work.expectNothingLeft()
  })

  test('srun --mpi=pmi2: --runner auto stays with Slurm', async ({ work }) => {
    const run = work.srun([...three, '--mpi=pmi2'], ['dask-hpc-runner', ...workers])
    await run.expectStatus(0)
    expect(run.stderr).not.toContain('MPI')
    await work.expectNothingLeft()
  })

  test('srun without MPI: --runner mpi says so, and does not become three clusters', async ({ work }) => {
    const run = work.start(['srun', ...three, '--mpi=none', ...byMpi], env)
    await run.expectStatus(78)
    expect(run.stderr).toContain('the MPI library says rank 0 of 1, but the launcher says SLURM_PROCID=')
    expect(run.stdout).toBe('')
    await work.expectNothingLeft()
  })

  for (const mpi of ['none', 'pmi2']) {
    test(`srun --mpi=${mpi}: client and tasks may use MPI themselves`, async ({ work }) => {
      const run = work.srun(
        [...three, `--mpi=${mpi}`],
        ['dask-hpc-runner', 'run', '--', 'python', join(programs, 'mpi.py')],
      )
      await run.expectStatus(0)
      expect(run.stdout).toContain('worlds 1 [1]\n')
      work.expectFile('ompi.*')
      await work.expectNothingLeft()
    })
  }
})
