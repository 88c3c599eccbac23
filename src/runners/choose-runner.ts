import { type Environment, readVariable, show } from '../identity/environment.ts'
import type { runnerKinds } from '../options/names.ts'
import { findLauncherVariable } from './launchers.ts'
import { nameOf, type RunnerOptions } from '../options.ts'
import { flagOf, systemNames } from '../options/names.ts'
import { findSystem } from './variables/systems.ts'

/** Which of the runners takes part. */
export type RunnerKind = (typeof runnerKinds)[number]

/** A runner, and why it is that one. */
export interface ChosenRunner {
  readonly kind: RunnerKind
  /** Completes the sentence "It is this one, because". */
  readonly why: string
}

/** What chooses a runner. */
export type ChoiceOptions = { readonly env: Environment } & Pick<
  RunnerOptions,
  (typeof placeOptions)[number] | 'sources'
>

/** The options that say who a process is, in place of the launcher. */
const placeOptions = ['rank', 'rankFrom', 'size', 'sizeFrom', 'runIdFrom'] as const

/**
 * The runner that `wanted` names; for `auto` that of the launcher which has started this process.
 *
 * @throws RangeError where the options say who a process is, and the runner does not take their word.
 */
export function chooseRunner(options: ChoiceOptions, wanted: 'auto' | RunnerKind): ChosenRunner {
  const { env, rank, rankFrom } = options
  if (wanted === 'auto' && (rank ?? rankFrom) !== undefined)
    return { kind: 'variables', why: `${nameOf(options, rank === undefined ? 'rankFrom' : 'rank')} says so` }
  const chosen = wanted === 'auto' ? findRunner(env) : { kind: wanted, why: `--runner ${wanted} says so` }
  if (chosen.kind !== 'variables') refusePlace(options, chosen.kind)
  return chosen
}

/** A site may have them in variables, for other launchers. */
function refusePlace(options: ChoiceOptions, kind: RunnerKind): void {
  const { sources = {} } = options
  const refused = (systemNames as readonly string[]).includes(kind) ? (['rank', 'rankFrom'] as const) : placeOptions
  const typed = refused.find((option) => sources[option] === flagOf(option))
  if (typed !== undefined)
    throw new RangeError(
      `Cannot use ${flagOf(typed)} with --runner ${kind}, which knows that by itself: leave it out, or name ` +
        `${flagOf('rankFrom')}, ${flagOf('sizeFrom')} and ${flagOf('runIdFrom')}`,
    )
}

function findRunner(env: Environment): ChosenRunner {
  const variable = findLauncherVariable(env)
  if (variable !== undefined)
    return { kind: 'mpi', why: `${show(env, variable)}, so an MPI launcher started this process` }
  const step = ['SLURM_STEP_ID', 'SLURM_STEPID'].find((name) => readVariable(env, name) !== undefined)
  if (step !== undefined) return { kind: 'slurm', why: `${show(env, step)}, so srun started this process` }
  const system = findSystem(env)
  if (system === undefined) return { kind: 'slurm', why: 'no MPI launcher has left its variables' }
  return { kind: system.runner, why: `${show(env, system.rank)}, so this is a process of ${system.launcher}` }
}

type Start = (options: RunnerOptions) => Promise<unknown>

const startSystem =
  (name: (typeof systemNames)[number]): Start =>
  async (options) =>
    await (await import('./variables/system-runner.ts')).systemRunner(name).start(options)

const starts: Readonly<Record<RunnerKind, Start>> = {
  slurm: async (options) => await (await import('./slurm/slurm-runner.ts')).SLURMRunner.start(options),
  mpi: async (options) => await (await import('./mpi/mpi-runner.ts')).MPIRunner.start(options),
  ...(Object.fromEntries(systemNames.map((name) => [name, startSystem(name)])) as Record<
    (typeof systemNames)[number],
    Start
  >),
  variables: async (options) => await (await import('./variables/variables-runner.ts')).VariablesRunner.start(options),
}

/** Takes this process into the run of the launcher that has started it: see {@link chooseRunner}. */
export async function startRunner(wanted: 'auto' | RunnerKind, options: RunnerOptions): Promise<void> {
  const { kind } = chooseRunner({ ...options, env: options.env ?? process.env }, wanted)
  await starts[kind](options)
}
