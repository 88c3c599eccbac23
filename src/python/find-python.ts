import { execFile, type ExecFileException } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { RunnerError } from '../errors.ts'

/** How long an interpreter may take to say whether it has Dask. In milliseconds. */
const probeTimeout = 30_000

/** Prints the interpreter's path; looks for Dask without importing it. */
const probe = `import importlib.util as u, sys
found = u.find_spec("distributed") is not None
print(sys.executable if found else "", end="")`

/**
 * The Python that has Dask: `python` if given, else that of the active environment, else the first
 * `python3` on PATH that has the module `distributed`.
 *
 * @throws RunnerError ERR_ENVIRONMENT where none has; it says what was tried. The reason of `signal`.
 */
export async function findPython(
  python: string | undefined,
  env: Readonly<NodeJS.ProcessEnv>,
  signal?: AbortSignal,
): Promise<string> {
  const tried: string[] = []
  for (const candidate of python === undefined ? candidates(env) : [python]) {
    if (candidate.includes('/') && !(await isExecutable(candidate))) {
      if (python !== undefined) tried.push(`${candidate} is not there or not executable`)
      continue
    }
    const answer = await ask(candidate, env, signal)
    signal?.throwIfAborted()
    if (answer.executable !== undefined) return answer.executable
    tried.push(`${candidate} ${answer.why}`)
  }
  const what = tried.length === 0 ? 'there is no python3 on PATH' : tried.join('; ')
  const next =
    python === undefined
      ? 'activate the environment that has it, name its interpreter by --python, or install it (pip install distributed)'
      : 'name an interpreter that has it, or install it there (pip install distributed)'
  throw new RunnerError(`Cannot find a Python that has Dask: ${what}; ${next}`, { code: 'ERR_ENVIRONMENT' })
}

function candidates(env: Readonly<NodeJS.ProcessEnv>): string[] {
  const active = [env.VIRTUAL_ENV, env.CONDA_PREFIX]
    .filter((prefix) => prefix !== undefined && prefix !== '')
    .map((prefix) => join(prefix as string, 'bin', 'python'))
  const onPath = (env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, 'python3'))
  return [...new Set([...active, ...onPath])]
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

interface Answer {
  readonly executable?: string
  readonly why?: string
}

async function ask(python: string, env: Readonly<NodeJS.ProcessEnv>, signal?: AbortSignal): Promise<Answer> {
  return await new Promise<Answer>((resolve) => {
    execFile(
      python,
      ['-c', probe],
      { env, timeout: probeTimeout, killSignal: 'SIGKILL', ...(signal === undefined ? {} : { signal }) },
      (error, stdout, stderr) => {
        if (error?.killed === true) resolve({ why: `did not answer within ${probeTimeout / 1000} s` })
        else if (error !== null) resolve({ why: `fails: ${lastLine(stderr) ?? withoutWords(error)}` })
        else if (stdout === '') resolve({ why: 'has no module distributed' })
        else resolve({ executable: stdout })
      },
    )
  })
}

/** A program that failed in silence, or one that could not be started. */
function withoutWords({ code, signal, message }: ExecFileException): string {
  if (typeof code === 'number') return `exit status ${code}`
  return typeof signal === 'string' ? `killed by ${signal}` : message
}

function lastLine(text: string): string | undefined {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .at(-1)
}
