// Every task of a Slurm step runs this program: srun node cluster.js
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { SLURMRunner } from 'dask-hpc-runner'

await using runner = await SLURMRunner.start()

// Only the client's process gets here. The others host the scheduler or a worker and exit with the run.
console.log(`${runner.nWorkers} workers at ${runner.schedulerAddress}`)

const python = spawn('python3', ['client.py'], {
  stdio: 'inherit',
  env: {
    ...process.env,
    DASK_SCHEDULER_ADDRESS: runner.schedulerAddress,
    DASK_HPC_RUNNER_N_WORKERS: String(runner.nWorkers),
  },
})
// The cluster is lost, or a signal ends the run.
runner.signal.addEventListener('abort', () => python.kill())
const [status] = (await once(python, 'close')) as [number | null]
process.exitCode = status ?? 1
