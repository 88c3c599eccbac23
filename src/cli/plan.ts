import { checkPlan, explainRunner, formatPlan, plan, planFor } from '../commands/plan.ts'
import { chooseRunner, refuseUnused } from '../runners/choose-runner.ts'
import { completeOptions, type RunnerOptions } from '../options.ts'
import type { ownTables } from '../options/command-table.ts'
import type { Completed } from '../options/row.ts'
import { releaseSignals } from '../util/early-signals.ts'
import { print } from './print.ts'

/** Prints who would do what. */
export async function runPlan(
  given: RunnerOptions,
  { runner, ntasks }: Completed<typeof ownTables.plan>,
): Promise<void> {
  releaseSignals()
  const options = completeOptions(given)
  if (ntasks !== undefined) {
    const planned = planFor(options, ntasks)
    checkPlan(planned, options)
    await print(`${formatPlan(planned)}\n`)
    return
  }
  const chosen = chooseRunner(options, runner)
  refuseUnused(options, chosen.kind)
  const planned = await plan(options, chosen.kind)
  checkPlan(planned, options)
  const { text, atFile } = await explainRunner(options, chosen)
  await print(`${formatPlan(planned, atFile)}\n${text}\n`)
}
