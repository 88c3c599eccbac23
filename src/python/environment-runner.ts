import { basename, isAbsolute } from 'node:path'
import { askProgram, type AskProgramOptions, lastWords } from '../process/ask-program.ts'
import { hasControlCharacters } from '../util/control-characters.ts'
import { pythonEnvironment, withoutDirectory } from './loader.ts'

/** Programs that run a command in an environment of theirs: `uv run client.py`, `conda run -n x python client.py`. */
const runners = /^(uv|conda|mamba|micromamba|pixi|poetry|pipenv|hatch|rye|pdm)$/

/** A word of the command that they run: a Python, or a script for one. */
const inside = /(^|\/)python[0-9.]*$|\.py$/

/** Their options whose value may look like such a word, as in `uv run --python python3.12` and `conda run -n python3.12`. */
const valued =
  /^(-n|-p|-e|-C|--name|--prefix|--environment|--env|--python|--with|--with-editable|--with-requirements|--project|--package|--directory|--cwd|--manifest-path|--env-file|--extra|--group|--feature)$/

/** Whether a command is run by such a program. */
export function isInEnvironment([program, ...args]: readonly [string, ...string[]]): boolean {
  return runners.test(basename(program)) && args.includes('run')
}

/**
 * The Python in which a program such as uv or conda would run a command, as a path: it is asked. Undefined where it does
 * not tell in time.
 */
export async function pythonOfRunner(
  command: readonly [string, ...string[]],
  options: AskProgramOptions,
): Promise<string | undefined> {
  const [program, ...args] = command
  const begin = args.findIndex((arg, i) => inside.test(arg) && !valued.test(args[i - 1] ?? ''))
  if (begin < args.indexOf('run')) return undefined
  const question = ['python', '-c', `${withoutDirectory}print(sys.executable)`]
  const { stdout, failure } = await askProgram([program, ...args.slice(0, begin), ...question], {
    ...options,
    env: pythonEnvironment(options.env),
  })
  const path = lastWords(stdout) ?? ''
  return failure === undefined && isAbsolute(path) && !hasControlCharacters(path) ? path : undefined
}
