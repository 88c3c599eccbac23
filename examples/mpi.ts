// client.ts under an MPI launcher. Every rank runs this program: mpirun -n 4 node mpi.js
import { Client, MPIRunner, py } from 'dask-hpc-runner'

await using runner = await MPIRunner.start()

// Only the client's process gets here. The others host the scheduler or a worker and exit with the run.
await using client = await Client.connect(runner)
await client.waitForWorkers(runner.nWorkers)

const increment = (x: number): number => x + 1
const pythonIncrement = py<number>`lambda x: x + 1`

console.log('10 ->', await client.submit(increment, [10]).result())
console.log('10 ->', await client.submit(pythonIncrement, [10]).result())

// On the worker of rank 2.
console.log('20 ->', await client.submit(increment, [20], { workers: [2] }).result())
console.log('20 ->', await client.submit(pythonIncrement, [20], { workers: [2] }).result())
