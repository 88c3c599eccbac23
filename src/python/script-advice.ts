import { basename, resolve } from 'node:path'
import { readBeginning } from './python-of-command.ts'

/** Where a script is to run. */
export interface ScriptPlace {
  readonly env: Readonly<NodeJS.ProcessEnv>
  /** Path of the scheduler file, `{job_id}` filled in or not; undefined where there is none. */
  readonly schedulerFile: string | undefined
}

/** How much of a script is read. In bytes. */
const longestScript = 256 * 1024

/**
 * What is to be said of a script that was written for another way to start Dask: it would fail here, wait for ever, or
 * leave the cluster unused. Empty if it needs no word, and if there is none to be read.
 */
export async function adviseOnScript(command: readonly string[], place: ScriptPlace): Promise<readonly string[]> {
  const script = command.find((word) => word.endsWith('.py'))
  if (script === undefined) return []
  try {
    const text = await readBeginning(resolve(script), longestScript)
    return adviceFor(text, place).map((advice) => `"${script}" ${advice}`)
  } catch {
    // Python says why it cannot be read.
    return []
  }
}

/** {@link adviseOnScript} for the text of a script. One that asks for what we set is made for us, too. */
export function adviceFor(text: string, place: ScriptPlace): string[] {
  if (/DASK_SCHEDULER_ADDRESS|DASK_HPC_RUNNER_/.test(text)) return []
  const code = text.replaceAll(/^\s*#.*$/gm, '')
  return [adviceOnMpi(code), adviceOnRunner(code, place), adviceOnCluster(code), adviceOnClient(code)].filter(
    (advice) => advice !== undefined,
  )
}

function adviceOnMpi(code: string): string | undefined {
  if (!/^\s*(from|import) +dask_mpi\b/m.test(code)) return undefined
  return 'uses dask_mpi, which makes a cluster of the ranks of MPI; leave initialize() out: Client() finds the cluster that is there'
}

/** SLURMRunner takes its role from Slurm's variables, and waits for a scheduler file without a limit. */
function adviceOnRunner(code: string, { env, schedulerFile }: ScriptPlace): string | undefined {
  const call = /\bSLURMRunner *\(([^)]*)/.exec(code)
  if (call === null || !/\bdask_jobqueue\b/.test(code)) return undefined
  const { SLURM_PROCID: task, SLURM_JOB_ID: job = '{job_id}' } = env
  if (task !== undefined && task !== '1')
    return (
      `uses SLURMRunner, which is the client in task 1 alone, and runs in task ${task} here; ` +
      'use --layout exclusive with three tasks or more, or leave SLURMRunner out: Client() finds the cluster'
    )
  const [, named] = /\bscheduler_file *= *["']([^"']+)["']/.exec(call[1] ?? '') ?? []
  // What is no literal is not known.
  const template = named ?? (/\bscheduler_file\b|\*\*/.test(call[1] ?? '') ? undefined : 'scheduler-{job_id}.json')
  if (template === undefined || schedulerFile === undefined) return undefined
  const [awaited, ours] = [template, schedulerFile].map((path) => basename(path).replaceAll('{job_id}', job))
  if (awaited === ours) return undefined
  return `waits for the scheduler file "${template}", and the file of this cluster is "${ours}"; add --scheduler-file '${template}'`
}

function adviceOnCluster(code: string): string | undefined {
  const [, name] = /\b((?:Local|SSH|SLURM|PBS|LSF|SGE|OAR|HTCondor|Moab)Cluster) *\(/.exec(code) ?? []
  if (name === undefined) return undefined
  return `starts a cluster of its own by ${name}(), and the workers of this one get no work; use Client() alone`
}

/** Dask refuses these where an address is known. */
function adviceOnClient(code: string): string | undefined {
  const [, name] = /\bClient *\([^)]*\b(n_workers|threads_per_worker|processes|memory_limit) *=/.exec(code) ?? []
  if (name === undefined) return undefined
  return `calls Client(${name}=…), which Dask refuses where there is a cluster already; use Client() alone`
}
