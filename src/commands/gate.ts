import { clientEnvironment } from '../components/child-environment.ts'
import { RunnerError } from '../errors.ts'
import { adviseOnScript } from '../python/script-advice.ts'
import type { CommandSignals } from './cluster/command-signals.ts'
import type { ReadyCluster } from './wait.ts'

/** What {@link runGated} takes beside the program and the cluster. */
export interface GateOptions {
  readonly env: NodeJS.ProcessEnv
  readonly signals: CommandSignals
  /** Is told what is to be said of the program's script: if it surely waits for ever, or has failed. */
  readonly onAdvice: (text: string) => void
}

/**
 * Runs the program that a cluster was waited for. It gets our environment as it is, since it may well
 * be a task of a step or a rank of an MPI program itself, and the cluster's place in it.
 *
 * @returns its exit status.
 * @throws RunnerError where it could not be started, which has the status 126 or 127 all the same.
 */
export async function runGated(
  command: readonly [string, ...string[]],
  cluster: ReadyCluster,
  { env, signals, onAdvice }: GateOptions,
): Promise<number> {
  const advice = await adviseOnScript(command, { env, schedulerFile: cluster.schedulerFile })
  for (const { kind, text } of advice) if (kind === 'waits') onAdvice(text)
  const { status, whyNotStarted } = await signals.run(command, clientEnvironment(env, cluster))
  if (whyNotStarted !== undefined) throw new ProgramNotStarted(whyNotStarted, status)
  if (status !== 0) for (const { kind, text } of advice) if (kind !== 'waits') onAdvice(text)
  return status
}

/** The program could not be started; `status` is what a shell would give for it. */
export class ProgramNotStarted extends RunnerError {
  override readonly name = 'ProgramNotStarted'
  readonly status: number

  constructor(why: string, status: number) {
    super(`Cannot start the program: ${why}`, { code: 'ERR_UNAVAILABLE' })
    this.status = status
  }
}
