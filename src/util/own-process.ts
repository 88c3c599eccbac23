import { exitStatuses, RunnerError } from '../errors.ts'

/** Set for each Node process and thread of ours, until our program has begun there. */
const variable = 'DASK_HPC_RUNNER_OWN_PROCESS'

/** The environment of a Node process or thread that runs a program of ours. */
export function forOwnProcess(env: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv {
  return { ...env, [variable]: '1' }
}

/** Our program has begun: what it starts besides may be anything. */
export function beginOwnProcess(): void {
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- undefined would be a text there
  delete process.env[variable]
}

/**
 * Ends a process of ours that loads the library, before the code that imports it runs. Our program does not load it: so
 * somebody's program is here, which would start a cluster whose processes run it again, without end.
 */
export function refuseOwnProcess(): void {
  if (process.env[variable] === undefined) return
  process.stderr.write(
    '[dask-hpc-runner] Cannot take part in the cluster: your program is loaded in this process too, perhaps by --import or ' +
      '--require in NODE_OPTIONS; give your program to node as its argument\n',
  )
  process.exit(exitStatuses.ERR_ENVIRONMENT)
}

/** Stands in the global object of a task's Node process while that imports the module of a function. */
const importing = Symbol.for('dask-hpc-runner.importing')

/** Imports the module of a function for a task. A module that starts a cluster meanwhile is refused: see {@link refuseInImport}. */
export async function importForTask(place: string): Promise<Readonly<Record<string, unknown>>> {
  const shared = globalThis as { [importing]?: number }
  shared[importing] = (shared[importing] ?? 0) + 1
  try {
    return (await import(place)) as Readonly<Record<string, unknown>>
  } finally {
    shared[importing] -= 1
  }
}

/**
 * @throws RunnerError ERR_ENVIRONMENT in a module that is imported for one of its functions: the tasks of the cluster that
 * it starts would import it again, without end.
 */
export function refuseInImport(): void {
  const { [importing]: imports = 0 } = globalThis as { [importing]?: number }
  if (imports === 0) return
  throw new RunnerError(
    'Cannot start a cluster: a worker imports this module for a function that it exports; move that function to a file of its own',
    { code: 'ERR_ENVIRONMENT' },
  )
}
