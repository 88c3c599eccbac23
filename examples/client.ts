// Functions in TypeScript and in Python, on the workers of a job. Every task of a Slurm step runs this program:
// srun node client.js
import { Client, py, SLURMRunner } from 'dask-hpc-runner'

await using runner = await SLURMRunner.start()

// Only the client's process gets here.
await using client = await Client.connect(runner)
await client.waitForWorkers(runner.nWorkers)

const increment = (x: number): number => x + 1
const pythonIncrement = py<number>`lambda x: x + 1`

console.log('10 ->', await client.submit(increment, [10]).result())
console.log('10 ->', await client.submit(pythonIncrement, [10]).result())

// On the worker of rank 2.
console.log('20 ->', await client.submit(increment, [20], { workers: [2] }).result())
console.log('20 ->', await client.submit(pythonIncrement, [20], { workers: [2] }).result())
