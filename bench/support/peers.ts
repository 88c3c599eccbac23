import { join } from 'node:path'
import type { Cluster, Started } from '../../test/support/cluster.ts'
import { slurmEnvironment } from '../../test/support/environment.ts'
import { type Contender, firstResult } from './race.ts'

const reference = join(import.meta.dirname, 'reference_way.py')

/** `n` processes of ours, started at once as the tasks of a step on `n` nodes. */
export function ours(
  name: string,
  n: number,
  options: readonly string[] = [],
  client: readonly string[] = [],
  more: NodeJS.ProcessEnv = {},
): Contender {
  return {
    name,
    launch: (cluster) => {
      const own = ['run', ...options, '--nthreads', '1', '--scheduler-file', 'F.json']
      const args = [...own, '--', 'python3', firstResult, ...client]
      return stepOf(n).map((env) => cluster.run(args, { ...env, ...more }))
    },
  }
}

/** The same of a TypeScript program that is its own body: a compiled one, with its arguments. */
export function ourBody(name: string, n: number, body: readonly string[], more: NodeJS.ProcessEnv = {}): Contender {
  const launch = (cluster: Cluster): Started[] =>
    stepOf(n).map((env) => cluster.start([process.execPath, ...body], { ...env, ...more }))
  return { name, launch }
}

/** The shell recipe: scheduler, workers and client program in the background of one script, all at once. */
export function recipe(
  name: string,
  workers: readonly string[],
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Contender {
  const dask = 'python3 -m distributed.cli.dask'
  const inBackground = (command: string): string => `${command} & all="$all $!"`
  const script = [
    inBackground(`${dask}_scheduler --port 0 --dashboard-address :0 --scheduler-file F.json`),
    ...workers.map((worker) => inBackground(`${dask}_worker --scheduler-file F.json --dashboard-address :0 ${worker}`)),
    `python3 ${firstResult} --scheduler-file F.json ${args.join(' ')}`,
    'kill $all; wait',
  ].join('\n')
  return { name, launch: (cluster) => [cluster.start(['sh', '-c', script], env)], mayHang: true }
}

/** `n` Python processes after the way of the Python runner. */
export function referenceWay(
  name: string,
  n: number,
  client: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Contender {
  const launch = (cluster: Cluster): Started[] =>
    Array.from({ length: n }, (_, rank) =>
      cluster.start(['python3', reference, `${rank}`, 'F.json', firstResult, ...client], env),
    )
  return { name, launch, mayHang: true }
}

/** The environments of a step of `n` tasks, one on each of `n` nodes. */
function stepOf(n: number): Record<string, string>[] {
  const nodes = `node[0-${n - 1}]`
  const each = `1(x${n})`
  return Array.from({ length: n }, (_, rank) =>
    slurmEnvironment('step-4nodes-1task-each-proc1', {
      SLURMD_NODENAME: `node${rank}`,
      SLURM_GTIDS: `${rank}`,
      SLURM_JOB_CPUS_PER_NODE: each,
      SLURM_JOB_NODELIST: nodes,
      SLURM_JOB_NUM_NODES: `${n}`,
      SLURM_NNODES: `${n}`,
      SLURM_NODEID: `${rank}`,
      SLURM_NODELIST: nodes,
      SLURM_NPROCS: `${n}`,
      SLURM_NTASKS: `${n}`,
      SLURM_PROCID: `${rank}`,
      SLURM_STEP_NODELIST: nodes,
      SLURM_STEP_NUM_NODES: `${n}`,
      SLURM_STEP_NUM_TASKS: `${n}`,
      SLURM_STEP_TASKS_PER_NODE: each,
      SLURM_TASKS_PER_NODE: each,
    }),
  )
}
