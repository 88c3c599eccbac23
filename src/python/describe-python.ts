import * as z from 'zod/mini'
import { RunnerError } from '../errors.ts'
import { askProgram, type AskProgramOptions, lastWords } from '../process/ask-program.ts'
import configurationFiles from './configuration-files.py'
import description from './describe.py'
import { pythonEnvironment, withoutDirectory } from './loader.ts'
import ownModules from './own-modules.py'
import values from './values.py'

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
  /** What Dask says in it of options whose values it cannot use: see values.py. */
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
  const program = `${configurationFiles}\n${description}`
  return await ask({ python, program, answer: pythonSchema, what: `"${python}" for its versions` }, options)
}

/** As a scheduler does: first Dask, then the user's own modules, then the values. */
const judging = `
import distributed
${ownModules}
${values}
import json
print("\\n" + json.dumps({"refusals": [find_refusal([value]) for value in json.loads(sys.argv[1])]}))`

const judgedSchema = z.object({ refusals: z.array(z.nullable(z.string())) })

/**
 * What Dask says, in the Python in which it would run, of values that only it can judge: a sentence for each that it cannot use.
 *
 * @param wanted as values.py has them
 * @throws RunnerError ERR_ENVIRONMENT where it does not answer.
 */
export async function judgeValues(
  python: string,
  wanted: readonly (readonly [option: string, name: string, value: string])[],
  options: AskProgramOptions,
): Promise<readonly string[]> {
  if (wanted.length === 0) return []
  const what = `the Dask of "${python}" whether it can use the options`
  const question = { python, program: judging, args: [JSON.stringify(wanted)], answer: judgedSchema, what }
  const { refusals } = await ask(question, options)
  return refusals.filter((refusal) => refusal !== null)
}

/** What a Python is asked. */
interface Question<T> {
  readonly python: string
  readonly program: string
  readonly args?: readonly string[]
  readonly answer: z.ZodMiniType<T>
  /** Who is asked what, for messages. */
  readonly what: string
}

/** The object that a program prints, as a line of JSON. @throws RunnerError ERR_ENVIRONMENT where it does not. */
async function ask<T>(
  { python, program, args = [], answer, what }: Question<T>,
  options: AskProgramOptions,
): Promise<T> {
  const cannotAsk = (why: string): RunnerError =>
    new RunnerError(`Cannot ask ${what}: ${why}`, { code: 'ERR_ENVIRONMENT' })
  const command = [python, '-c', `${withoutDirectory}\n${program}`, ...args] as const
  const { stdout, stderr, failure } = await askProgram(command, { ...options, env: pythonEnvironment(options.env) })
  if (failure !== undefined)
    throw cannotAsk(
      (failure.how === 'ended' ? lastWords(stderr) : undefined) ??
        `${failure.how === 'not started' ? '' : 'it '}${failure.why}`,
    )
  // A wrapper, or a site's own start-up file, may print something too.
  const line = stdout.split('\n').findLast((text) => text.startsWith('{')) ?? ''
  try {
    return z.parse(answer, JSON.parse(line))
  } catch {
    throw cannotAsk(`it printed ${JSON.stringify(stdout.slice(0, 200))}`)
  }
}
