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
/** How long it may take to be read: it is only for a hint. In milliseconds. */
const readMs = 5_000

/**
 * When a sentence on a script is told. `waits`: the script surely waits for ever, and it can be told at once; `fails`:
 * it may be why the program has failed; `idles`: it may be why no client has connected. Only `waits` is sure.
 */
export type AdviceKind = 'waits' | 'fails' | 'idles'

/** A sentence on a script. */
export interface Advice {
  readonly kind: AdviceKind
  readonly text: string
}

/**
 * What there is to say of a script that was written for another way to start Dask. Nobody can see in a script which of its
 * branches run: so nothing is said of a run that goes well. Empty if there is no script to be read.
 */
export async function adviseOnScript(command: readonly string[], place: ScriptPlace): Promise<readonly Advice[]> {
  const script = command.find((word) => word.endsWith('.py'))
  if (script === undefined) return []
  try {
    const text = await readBeginning(resolve(script), longestScript, readMs)
    // Another program may run it as a task or rank of its own.
    const isRunByPython = command[0] === script || /^python[\d.]*$/.test(basename(command[0] ?? ''))
    return adviceFor(text, place)
      .filter(({ kind }) => kind !== 'waits' || isRunByPython)
      .map(({ kind, text: advice }) => ({ kind, text: `"${script}" ${advice}` }))
  } catch {
    // Python says why it cannot be read.
    return []
  }
}

/** {@link adviseOnScript} for the text of a script. One that asks for what we set is made for us, too. */
export function adviceFor(text: string, place: ScriptPlace): Advice[] {
  if (/DASK_SCHEDULER_ADDRESS|DASK_HPC_RUNNER_/.test(text)) return []
  const code = codeOf(text)
  return [adviceOnMpi(code), adviceOnRunner(text, code, place), adviceOnCluster(code), adviceOnClient(code)].filter(
    (advice) => advice !== undefined,
  )
}

function adviceOnMpi(code: string): Advice | undefined {
  if (!/^\s*(from|import) +dask_mpi\b/m.test(code)) return undefined
  const text =
    'imports dask_mpi, and if it calls initialize() here, that fails: it makes a cluster of the ranks of MPI, and finds one; ' +
    'leave initialize() out: Client() finds the cluster that is there'
  return { kind: 'fails', text }
}

/** SLURMRunner takes its role from Slurm's variables, and waits for a scheduler file without a limit. */
function adviceOnRunner(text: string, code: string, place: ScriptPlace): Advice | undefined {
  const call = /\bSLURMRunner *\(([^)]*)/.exec(code)
  if (call === null || !/\bdask_jobqueue\b/.test(code)) return undefined
  const why = whyRunnerWaits(text.slice(call.index, call.index + call[0].length), place)
  if (why === undefined) return undefined
  const isSure = place.env.SLURM_PROCID !== undefined && surelyRuns(code, call)
  return isSure
    ? { kind: 'waits', text: `uses SLURMRunner, which ${why}` }
    : { kind: 'idles', text: `names SLURMRunner, and if it uses it here, that ${why}` }
}

/** Whether a call is a line of its own that stands in no branch and in no function, and nothing may end the script before. */
function surelyRuns(code: string, { index, 0: call }: RegExpExecArray): boolean {
  const start = code.lastIndexOf('\n', index) + 1
  const [before, after] = [code.slice(start, index), code.slice(index + call.length)]
  if (/exit|exec/i.test(code.slice(0, start))) return false
  return /^(with +|\w+ *= *)?$/.test(before) && /^\) *(as +\w+ *:)? *(\n|$)/.test(after)
}

function whyRunnerWaits(call: string, { env, schedulerFile }: ScriptPlace): string | undefined {
  const { SLURM_PROCID: task, SLURM_JOB_ID: job = '{job_id}' } = env
  if (task !== undefined && task !== '1')
    return (
      `is the client in task 1 alone, and runs in task ${task}; ` +
      'use --layout exclusive with three tasks or more, or leave SLURMRunner out: Client() finds the cluster'
    )
  const [, named] = /\bscheduler_file *= *["']([^"']+)["']/.exec(call) ?? []
  // What is no literal is not known.
  const template = named ?? (/\bscheduler_file\b|\*\*/.test(call) ? undefined : 'scheduler-{job_id}.json')
  if (template === undefined || schedulerFile === undefined) return undefined
  const [awaited, ours] = [template, schedulerFile].map((path) => basename(path).replaceAll('{job_id}', job))
  if (awaited === ours) return undefined
  return `waits for the scheduler file "${template}", and the file of this cluster is "${ours}"; add --scheduler-file '${template}'`
}

function adviceOnCluster(code: string): Advice | undefined {
  const [, name] = /\b((?:Local|SSH|SLURM|PBS|LSF|SGE|OAR|HTCondor|Moab)Cluster) *\(/.exec(code) ?? []
  if (name === undefined) return undefined
  const text = `names ${name}(), and if it uses that here, the workers of this cluster get no work; use Client() alone`
  return { kind: 'idles', text }
}

/** Dask refuses these where an address is known. */
function adviceOnClient(code: string): Advice | undefined {
  const refused = /\b(n_workers|threads_per_worker|processes|memory_limit) *=(?!=)/
  const [name] = argumentsOf(code, 'Client').flatMap((own) => refused.exec(own)?.[1] ?? [])
  if (name === undefined) return undefined
  const text = `has Client(${name}=…), and if it calls that here, Dask refuses it: there is a cluster already; use Client() alone`
  return { kind: 'fails', text }
}

/** A comment, or a string with what it begins and ends with. One that does not end goes on to the end of the text. */
const noCode = /#[^\n]*|("""|''')(?:\\[\s\S]|[^\\])*?(?:\1|$)|"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?/g

/** The text of a Python script with blanks in place of its comments and strings: each character of code stands where it stood. */
function codeOf(text: string): string {
  return text.replaceAll(noCode, (words) => words.replaceAll(/[^\n]/g, ' '))
}

/** What stands between the brackets of the calls of a name, without what stands in further brackets there. */
function argumentsOf(code: string, name: string): string[] {
  return [...code.matchAll(new RegExp(`\\b${name}\\s*\\(`, 'g'))].map(({ index, 0: call }) =>
    outermost(code, index + call.length),
  )
}

function outermost(code: string, start: number): string {
  let depth = 1
  let own = ''
  for (let at = start; at < code.length && depth > 0; at += 1) {
    const character = code.charAt(at)
    if (/[([{]/.test(character)) depth += 1
    else if (/[)\]}]/.test(character)) depth -= 1
    else if (depth === 1) own += character
  }
  return own
}
