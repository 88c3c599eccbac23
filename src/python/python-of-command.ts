import { constants } from 'node:fs'
import { access, open, stat } from 'node:fs/promises'
import { basename, delimiter, isAbsolute, join } from 'node:path'
import { defaults } from '../defaults.ts'
import { RunnerError } from '../errors.ts'
import type { AskProgramOptions } from '../process/ask-program.ts'
import { formatDuration } from '../util/duration.ts'
import { withIoTimeout } from '../util/io-timeout.ts'
import { isInEnvironment, pythonOfRunner } from './environment-runner.ts'

/** A name that Pythons have. */
const pythonName = /^(python|pypy)[0-9.]*$/

/** Programs that run a command in the environment that they have: `numactl --interleave=all python client.py`. */
const wrappers =
  /^(nice|ionice|chrt|time|timeout|nohup|setsid|stdbuf|numactl|taskset|hwloc-bind|strace|ltrace|valgrind|nsys|ncu|perf)$/

/** How much of a script is read for its first line. In bytes. */
const longestFirstLine = 512

/** How long a program that is asked may take, and what ends it before. */
export interface AskLimits extends Pick<AskProgramOptions, 'timeout' | 'signal'> {
  /** How long the filesystem of a program may take. In milliseconds. @default 25 s */
  readonly filesystemTimeout?: number | undefined
}

/**
 * The Python in which a command would run, as a path or a name on PATH, or undefined where the
 * command is no Python program as far as can be seen: `python client.py`, `uv run client.py`, or a script whose first
 * line names a Python. What a wrapper such as `apptainer exec` starts is not known.
 *
 * @param limits of `uv` and the like, which are asked
 * @throws what {@link findProgram} throws.
 */
export async function pythonOfCommand(
  command: readonly [string, ...string[]],
  env: Readonly<NodeJS.ProcessEnv>,
  limits: AskLimits = { timeout: defaults.rendezvousTimeout },
): Promise<string | undefined> {
  const [program, ...args] = command
  if (pythonName.test(basename(program))) return program
  if (basename(program) === 'env') return ofEnv(args)
  if (wrappers.test(basename(program))) return args.find((arg) => pythonName.test(basename(arg)))
  const { filesystemTimeout } = limits
  const path = await findProgram(program, env, filesystemTimeout)
  if (isInEnvironment(command)) return await pythonOfRunner(command, { env, ...limits })
  if (path === undefined) return undefined
  return pythonOfFirstLine(await readBeginning(path, longestFirstLine, filesystemTimeout))
}

/** The Python that the first line of a script names: `#!/usr/bin/env python3`, `#!/opt/venv/bin/python`. */
export function pythonOfFirstLine(line: string): string | undefined {
  if (!line.startsWith('#!')) return undefined
  const [program = '', ...args] = (line.slice(2).split('\n')[0] ?? '').trim().split(/\s+/)
  if (pythonName.test(basename(program))) return program
  return basename(program) === 'env' ? ofEnv(args) : undefined
}

/** `env` with options, or with a setting that decides on the Python, may change what is found. */
function ofEnv(args: readonly string[]): string | undefined {
  const words = args[0] === '-S' ? args.slice(1) : args
  const program = words.find((word) => !isSetting(word)) ?? ''
  return pythonName.test(basename(program)) ? program : undefined
}

/** `A=1`, but not `PATH=…`. */
function isSetting(word: string): boolean {
  return /^[A-Za-z_]\w*=/.test(word) && !/^(PATH|PYTHON\w*|LD_\w*)=/.test(word)
}

/**
 * The path of a program, given as a path or by its name on PATH; undefined where there is none.
 *
 * @param timeout how long its filesystem may take, in milliseconds
 * @throws what {@link isProgram} throws.
 */
export async function findProgram(
  program: string,
  env: Readonly<NodeJS.ProcessEnv>,
  timeout?: number,
): Promise<string | undefined> {
  const paths = program.includes('/')
    ? [program]
    : (env.PATH ?? '').split(delimiter).flatMap((folder) => (isAbsolute(folder) ? join(folder, program) : []))
  for (const path of paths) {
    if (await isProgram(path, timeout)) return path
  }
  return undefined
}

/**
 * Whether there is a program. A directory may be entered, and anybody may make a named pipe that looks like one: neither can
 * be started.
 *
 * @throws RunnerError ERR_ENVIRONMENT where its filesystem hangs.
 */
export async function isProgram(path: string, timeout?: number): Promise<boolean> {
  const look = access(path, constants.X_OK).then(async () => (await stat(path)).isFile())
  return await inTime(
    path,
    look.catch(() => false),
    timeout,
  )
}

async function inTime<T>(path: string, look: Promise<T>, timeout = defaults.filesystemTimeout): Promise<T> {
  const why = `Cannot look at "${path}": its filesystem has not answered for ${formatDuration(timeout)}`
  const late = (): Error =>
    new RunnerError(`${why}; leave its directory out of PATH, or name another program`, { code: 'ERR_ENVIRONMENT' })
  return await withIoTimeout(look, timeout, late)
}

/** The first bytes of a file, as text. @throws a system error, or RunnerError where its filesystem hangs. */
export async function readBeginning(path: string, bytes: number, timeout?: number): Promise<string> {
  return await inTime(path, readFirst(path, bytes), timeout)
}

async function readFirst(path: string, bytes: number): Promise<string> {
  // Without O_NONBLOCK a named pipe, which may have taken the program's place by now, would hold us.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await handle.close()
  }
}
