import * as z from 'zod/mini'
import { RunnerError } from '../errors.ts'
import { askProgram, type AskProgramOptions, lastWords } from '../process/ask-program.ts'
import { pythonEnvironment, withoutDirectory } from './loader.ts'
import ownModules from './own-modules.py'
import values from './values.py'

/** As a scheduler does: first Dask, then the user's own modules, then the values. */
const program = `${withoutDirectory}
import distributed
${ownModules}
${values}
import json
print("\\n" + json.dumps([find_refusal([value]) for value in json.loads(sys.argv[1])]))`

const answerSchema = z.array(z.nullable(z.string()))

/**
 * What Dask says, in the Python in which it would run, of values that only it can judge: a sentence for each that it cannot use.
 *
 * @param values as values.py has them
 * @throws RunnerError ERR_ENVIRONMENT where it does not answer.
 */
export async function judgeValues(
  python: string,
  values: readonly (readonly [option: string, name: string, value: string])[],
  options: AskProgramOptions,
): Promise<readonly string[]> {
  if (values.length === 0) return []
  const command = ['/bin/sh', '-c', 'exec "$@"', 'sh', python, '-c', program, JSON.stringify(values)] as const
  const { stdout, stderr, failure } = await askProgram(command, { ...options, env: pythonEnvironment(options.env) })
  const why = (failure?.how === 'ended' ? lastWords(stderr) : undefined) ?? (failure && `it ${failure.why}`)
  if (why !== undefined) throw cannotAsk(python, why)
  try {
    return z.parse(answerSchema, JSON.parse(lastWords(stdout) ?? '')).filter((refusal) => refusal !== null)
  } catch {
    throw cannotAsk(python, `it printed ${JSON.stringify(stdout.slice(0, 200))}`)
  }
}

function cannotAsk(python: string, why: string): RunnerError {
  return new RunnerError(`Cannot ask the Dask of "${python}" whether it can use the options: ${why}`, {
    code: 'ERR_ENVIRONMENT',
  })
}
