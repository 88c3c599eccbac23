import { checkPlan, formatPlan, plan, planFor } from '../commands/plan.ts'
import { chooseRunner, type RunnerKind } from '../runners/choose-runner.ts'
import { completeOptions, type RunnerOptions } from '../options.ts'
import { releaseSignals } from '../util/early-signals.ts'
import { print } from './print.ts'

/** What is planned for. */
export interface PlanFlags {
  readonly runner: 'auto' | RunnerKind
  /** Number of processes, outside of a job. */
  readonly ntasks?: number
}

/** Prints who would do what. */
export async function runPlan(given: RunnerOptions, { runner, ntasks }: PlanFlags): Promise<void> {
  releaseSignals()
  const options = completeOptions(given)
  if (ntasks !== undefined) {
    const planned = planFor({ ...options, size: ntasks })
    checkPlan(planned, options)
    await print(`${formatPlan(planned)}\n`)
    return
  }
  const { explainRunner } = await import('../commands/explain.ts')
  const planned = await plan(options, chooseRunner(options, runner).kind)
  checkPlan(planned, options)
  const { text, atFile } = await explainRunner(options, runner)
  await print(`${formatPlan(planned, atFile)}\n${text}\n`)
}
