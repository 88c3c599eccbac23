import { wordsOfCommand } from '../../options/worker-command.ts'
import { findProgram } from '../../python/python-of-command.ts'
import { type Finding, found } from './finding.ts'

/** The program of `--worker-command`. */
export interface WorkerCommandFacts {
  readonly program: string
  /** Its path; undefined where there is none, or it is not executable. */
  readonly path: string | undefined
}

/** Looks for the program that a worker command would start. */
export async function lookAtWorkerCommand(text: string, env: Readonly<NodeJS.ProcessEnv>): Promise<WorkerCommandFacts> {
  const [program = ''] = wordsOfCommand(text)
  return { program, path: await findProgram(program, env) }
}

/** Judges whether it can be started. */
export function checkWorkerCommand({ program, path }: WorkerCommandFacts): Finding[] {
  if (path !== undefined) return [found('ok', 'worker command', `"${program}" is ${path}`)]
  return [
    program.includes('/')
      ? found('problem', 'worker command', `"${program}" is not there or not executable`, 'see that every node has it')
      : found(
          'problem',
          'worker command',
          `"${program}" is not on PATH`,
          'activate the environment that has it, or give its path in --worker-command',
        ),
  ]
}
