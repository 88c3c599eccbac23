import * as z from 'zod/mini'
import { RunnerError } from '../errors.ts'
import { askProgram, type AskProgramOptions, lastWords } from '../process/ask-program.ts'
import program from './describe.py'
import { pythonEnvironment, withoutDirectory } from './loader.ts'

const settingsSchema = z.object({
  /** Of a file that Dask reads its configuration from. */
  path: z.string(),
  /** What is wrong with it, where Dask cannot read it. */
  error: z.optional(z.string()),
  /** What it sets, by full names such as `distributed.scheduler.idle-timeout`. */
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
})
export type DaskSettings = z.infer<typeof settingsSchema>

/** One Python and what Dask would find in it. */
export const pythonSchema = z.object({
  /** Path of the interpreter. */
  executable: z.string(),
  /** Such as `3.11.2`. */
  version: z.string(),
  /** Versions of the packages whose versions Dask compares, and of bokeh; what is missing is left out. */
  packages: z.record(z.string(), z.string()),
  /** The file of the module `distributed`, or null where there is none. */
  place: z.nullable(z.string()),
  /** The files from which Dask reads its configuration, those that set nothing left out. */
  configuration: z.optional(z.array(settingsSchema)),
  /** What Dask says in it of options whose values it cannot use: see judge-values.ts. */
  refusals: z.optional(z.array(z.string())),
  /** How long it took to find it and to hear this, in milliseconds. */
  tookMs: z.optional(z.number()),
})
export type PythonDescription = z.infer<typeof pythonSchema>

/**
 * The version of a Python and those of Dask and what belongs to it, without importing Dask where it
 * is installed as a package.
 *
 * @param python its path, or a name that is looked up on PATH
 * @throws RunnerError ERR_ENVIRONMENT where it does not say, with its last line.
 */
export async function describePython(python: string, options: AskProgramOptions): Promise<PythonDescription> {
  const output = await run(python, options)
  // A wrapper, or a site's own start-up file, may print something too.
  const line = output.split('\n').findLast((text) => text.startsWith('{')) ?? ''
  try {
    return z.parse(pythonSchema, JSON.parse(line))
  } catch {
    throw cannotAsk(python, `it printed ${JSON.stringify(output.slice(0, 200))}`)
  }
}

async function run(python: string, options: AskProgramOptions): Promise<string> {
  // Node waits where it starts a program of a filesystem that hangs; with a shell between, the shell does.
  const command = ['/bin/sh', '-c', 'exec "$@"', 'sh', python, '-c', `${withoutDirectory}\n${program}`] as const
  const { stdout, stderr, failure } = await askProgram(command, { ...options, env: pythonEnvironment(options.env) })
  if (failure === undefined) return stdout
  throw cannotAsk(python, (failure.how === 'ended' ? lastWords(stderr) : undefined) ?? `it ${failure.why}`)
}

function cannotAsk(python: string, why: string): RunnerError {
  return new RunnerError(`Cannot ask "${python}" for its versions: ${why}`, { code: 'ERR_ENVIRONMENT' })
}
