import { wordsOfCommand } from '../../options/worker-command.ts'
import { findProgram } from '../../python/python-of-command.ts'
import { about, type Finding } from './finding.ts'
import { lookMs } from './probe.ts'

const { ok, problem } = about('worker command')

/** The program of `--worker-command`. */
export interface WorkerCommandFacts {
  readonly program: string
  /** Its path; undefined where there is none, or it is not executable. */
  readonly path: string | undefined
}

/** Looks for the program that a worker command would start. */
export async function lookAtWorkerCommand(text: string, env: Readonly<NodeJS.ProcessEnv>): Promise<WorkerCommandFacts> {
  const [program = ''] = wordsOfCommand(text)
  return { program, path: await findProgram(program, env, lookMs) }
}

/** Judges whether it can be started. */
export function checkWorkerCommand({ program, path }: WorkerCommandFacts): Finding[] {
  if (path !== undefined) return [ok(`"${program}" is ${path}`)]
  return [
    program.includes('/')
      ? problem(`"${program}" is not there or not executable`, 'see that every node has it')
      : problem(
          `"${program}" is not on PATH`,
          'activate the environment that has it, or give its path in --worker-command',
        ),
  ]
}
