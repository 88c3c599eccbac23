import { realpath } from 'node:fs/promises'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { defaults } from '../defaults.ts'
import { RunnerError } from '../errors.ts'
import { askProgram, type AskProgramOptions } from '../process/ask-program.ts'
import type { Supervised } from '../process/supervised.ts'
import { hasControlCharacters } from '../util/control-characters.ts'
import { settledWithin, untilAborted } from '../util/wait.ts'
import { pythonEnvironment, withoutDirectory } from './loader.ts'
import { type AskLimits, findProgram, isProgram, pythonOfCommand } from './python-of-command.ts'

/** Which Python is wanted. */
export interface PythonWish {
  /** The only one that may be taken, as a path or a name on PATH. */
  readonly python?: string | undefined
  /** The client program's command: its own Python is taken before others. */
  readonly command?: readonly [string, ...string[]] | undefined
  /** How long an interpreter may take to say whether it has Dask. In milliseconds. @default that of a rendezvous */
  readonly rendezvousTimeout?: number
  /** How long the filesystem of an interpreter may take. In milliseconds. @default 25 s */
  readonly filesystemTimeout?: number
}

/** Prints the interpreter's path; looks for Dask without importing it, first as bootstrap.py does. */
const program = `${withoutDirectory}
import importlib.machinery as m, importlib.util as u
found = (m.PathFinder.find_spec("distributed") or u.find_spec("distributed")) is not None
print(sys.executable if found else "", end="")`

/** Whether an interpreter has Dask: its own path, or why not. */
export interface PythonAnswer {
  readonly executable?: string
  readonly why?: string
}

/** Asks an interpreter, given as a path or a name on PATH. */
export type Ask = (python: string) => Promise<PythonAnswer>

/**
 * The Python that has Dask: `python` if given, else that of the client program, else that of the active environment, else
 * the first `python3` on PATH that has the module `distributed`.
 *
 * @param ask how one is asked. @default it is started for that alone, without importing Dask
 * @throws RunnerError ERR_ENVIRONMENT where none has; it says what was tried; or where a filesystem hangs. The reason of `signal`.
 */
export async function findPython(
  { python, command, rendezvousTimeout = defaults.rendezvousTimeout, filesystemTimeout }: PythonWish,
  env: Readonly<NodeJS.ProcessEnv>,
  signal?: AbortSignal,
  ask: Ask = async (candidate) => await askPython(candidate, { env, timeout: rendezvousTimeout, signal }),
): Promise<string> {
  const tried: string[] = []
  const limits = { timeout: rendezvousTimeout, signal, filesystemTimeout }
  const all = python === undefined ? await candidates(command, env, limits) : [python]
  signal?.throwIfAborted()
  for (const candidate of all) {
    if (candidate.includes('/') && !(await isProgram(candidate, filesystemTimeout))) {
      if (python !== undefined) tried.push(`${candidate} is not there or not executable`)
      continue
    }
    const answer = await ask(candidate)
    signal?.throwIfAborted()
    // A path that was given may be that of a wrapper, within which the interpreter's own means something else.
    if (answer.executable !== undefined) return python?.includes('/') === true ? python : answer.executable
    tried.push(`${candidate} ${answer.why}`)
  }
  const what = tried.length === 0 ? 'there is no python3 on PATH' : tried.join('; ')
  const next =
    python === undefined
      ? 'activate the environment that has it, name its interpreter by --python, or install it (pip install distributed)'
      : 'name an interpreter that has it, or install it there (pip install distributed)'
  throw new RunnerError(`Cannot find a Python that has Dask: ${what}; ${next}`, { code: 'ERR_ENVIRONMENT' })
}

/** Something that was started in a Python, and says itself whether that has Dask. */
export interface Answering {
  /** Within `timeout` milliseconds. */
  readonly answer: (timeout: number) => Promise<PythonAnswer>
  readonly kill: () => void
}

/**
 * Finds the Python that has Dask by starting in each what is wanted there: nothing is started only to be asked.
 *
 * @throws what {@link findPython} does.
 */
export async function startInPython<T extends Answering>(
  wish: PythonWish,
  env: Readonly<NodeJS.ProcessEnv>,
  start: (python: string) => T,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ readonly python: string; readonly started: T }> {
  const { rendezvousTimeout = defaults.rendezvousTimeout } = wish
  let started: T | undefined
  const python = await findPython(wish, env, signal, async (candidate) => {
    const starting = start(candidate)
    started = starting
    try {
      const answer = await untilAborted(starting.answer(rendezvousTimeout), signal)
      if (answer.executable === undefined) starting.kill()
      return answer
    } catch (error) {
      starting.kill()
      throw error
    }
  })
  return { python, started: started as T }
}

/** What a Python answers that says `found` over its pipe, within `timeout` milliseconds. */
export async function answerOf(
  child: Pick<Supervised, 'exited' | 'tail'>,
  found: Promise<PythonAnswer>,
  timeout: number,
): Promise<PythonAnswer> {
  const ended = child.exited.then(({ status, signal }) =>
    failedAnswer(child.tail, signal === null ? status : `killed by ${signal}`),
  )
  const first = Promise.race([found, ended])
  return (await settledWithin(first, timeout)) ? await first : silentPython(timeout)
}

/**
 * Whether two names or paths mean the same Python: the same program in the same directory, since environments are links to
 * one interpreter.
 */
export async function isSamePython(one: string, other: string, env: Readonly<NodeJS.ProcessEnv>): Promise<boolean> {
  const [first, second] = await Promise.all(
    [one, other].map(async (program) => {
      const path = await findProgram(program, env)
      return path === undefined ? undefined : join(await realpath(dirname(path)), await realpath(path))
    }),
  )
  return first !== undefined && first === second
}

async function candidates(
  command: PythonWish['command'],
  env: Readonly<NodeJS.ProcessEnv>,
  limits: AskLimits,
): Promise<string[]> {
  // A program that cannot be read may still be run.
  const named = command === undefined ? undefined : await pythonOfCommand(command, env, limits).catch(() => undefined)
  const own = named === undefined ? undefined : await findProgram(named, env, limits.filesystemTimeout)
  const active = [env.VIRTUAL_ENV, env.CONDA_PREFIX]
    .filter((prefix) => prefix !== undefined && prefix !== '')
    .map((prefix) => join(prefix as string, 'bin', 'python'))
  const onPath = (env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, 'python3'))
  return [...new Set([...(own === undefined ? [] : [own]), ...active, ...onPath])]
}

/** Asks an interpreter, by starting it for that alone and without importing Dask. */
export async function askPython(python: string, options: AskProgramOptions): Promise<PythonAnswer> {
  const { stdout, stderr, failure } = await askProgram([python, '-c', program], {
    ...options,
    env: pythonEnvironment(options.env),
  })
  if (failure?.how === 'late') return silentPython(options.timeout)
  if (failure !== undefined) return failedAnswer(stderr.split('\n'), failure.why)
  // A wrapper, or a site's own start-up file, may print something before.
  const path = stdout.split('\n').at(-1) ?? ''
  if (path === '') return lacksDask
  if (isAbsolute(path) && !hasControlCharacters(path)) return { executable: path }
  return { why: `printed ${JSON.stringify(path.slice(0, 200))} in place of its path` }
}

/** The answer of one that has no Dask. */
export const lacksDask: PythonAnswer = { why: 'has no module distributed' }

/** The answer of one that did not give any within `timeout` milliseconds. */
export function silentPython(timeout: number): PythonAnswer {
  return { why: `did not answer within ${timeout / 1000} s` }
}

/** The answer of one that failed: its last words, or `how` where there are none. */
export function failedAnswer(lines: readonly string[], how: number | string | null): PythonAnswer {
  const words = lines.findLast((line) => line.trim() !== '')
  return { why: `fails: ${words ?? (typeof how === 'number' ? `exit status ${how}` : (how ?? 'without a word'))}` }
}
