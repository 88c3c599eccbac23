import { hostname } from 'node:os'
import { type Environment, identityError, readVariable, show } from '../identity/environment.ts'
import type { runnerKinds } from '../options/names.ts'
import { findLauncherVariable } from './launchers.ts'
import { nameOf, type RunnerOptions } from '../options.ts'
import { flagOf, systemNames } from '../options/names.ts'
import { shortName } from './variables/slots.ts'
import { findSystem, type System } from './variables/systems.ts'

/** Which of the runners takes part. */
export type RunnerKind = (typeof runnerKinds)[number]

/** A runner, and why it is that one. */
export interface ChosenRunner {
  readonly kind: RunnerKind
  /** Completes the sentence "It is this one, because". */
  readonly why: string
}

/** What chooses a runner. */
export type ChoiceOptions = {
  readonly env: Environment
  /** The name of this host. @default as the system has it */
  readonly thisHost?: string
} & Pick<RunnerOptions, (typeof placeOptions)[number] | 'sources'>

/** The options that say who a process is, in place of the launcher. */
const placeOptions = ['rank', 'rankFrom', 'size', 'sizeFrom', 'runIdFrom'] as const

/**
 * The runner that `wanted` names; for `auto` that of the launcher which has started this process.
 *
 * @throws RangeError where the options say who a process is, and the runner does not take their word; RunnerError with
 * `ERR_ENVIRONMENT` where variables of two launchers are there, and one of them must have been inherited.
 */
export function chooseRunner(options: ChoiceOptions, wanted: 'auto' | RunnerKind): ChosenRunner {
  const { env, thisHost = hostname(), rank, rankFrom } = options
  if (wanted === 'auto' && (rank ?? rankFrom) !== undefined)
    return { kind: 'variables', why: `${nameOf(options, rank === undefined ? 'rankFrom' : 'rank')} says so` }
  const chosen = wanted === 'auto' ? findRunner(env, thisHost) : { kind: wanted, why: `--runner ${wanted} says so` }
  if (chosen.kind !== 'variables') refusePlace(options, chosen.kind)
  return chosen
}

/** What a runner knows by itself. */
function knownTo(kind: RunnerKind): readonly (typeof placeOptions)[number][] {
  if (kind === 'spread') return ['rank', 'rankFrom', 'size', 'sizeFrom']
  return (systemNames as readonly string[]).includes(kind) ? ['rank', 'rankFrom'] : placeOptions
}

/** A site may have them in variables, for other launchers. */
function refusePlace(options: ChoiceOptions, kind: RunnerKind): void {
  const { sources = {} } = options
  const typed = knownTo(kind).find((option) => sources[option] === flagOf(option))
  if (typed !== undefined)
    throw new RangeError(
      `Cannot use ${flagOf(typed)} with --runner ${kind}, which knows that by itself: leave it out, or name ` +
        `${flagOf('rankFrom')}, ${flagOf('sizeFrom')} and ${flagOf('runIdFrom')}`,
    )
}

function findRunner(env: Environment, host: string): ChosenRunner {
  const variable = findLauncherVariable(env)
  if (variable !== undefined)
    return { kind: 'mpi', why: `${show(env, variable)}, so an MPI launcher started this process` }
  const step = ['SLURM_STEP_ID', 'SLURM_STEPID'].find((name) => readVariable(env, name) !== undefined)
  const system = findSystem(env)
  if (step !== undefined && system !== undefined) refuseInherited(env, { step, system, host })
  if (step !== undefined) return { kind: 'slurm', why: `${show(env, step)}, so srun started this process` }
  if (system === undefined) return { kind: 'slurm', why: 'no MPI launcher has left its variables' }
  return { kind: system.runner, why: `${show(env, system.rank)}, so this is a process of ${system.launcher}` }
}

/** A job that was submitted from a step of Slurm may have its variables; a step knows the host that it runs on. */
function refuseInherited(env: Environment, seen: { step: string; system: System; host: string }): void {
  const { step, system, host } = seen
  const node = readVariable(env, 'SLURMD_NODENAME')
  if (node !== undefined && shortName(node) === shortName(host)) return
  throw identityError(
    `${show(env, step)} and ${show(env, 'SLURMD_NODENAME')} on host "${host}", but ${show(env, system.rank)}, so one of them was inherited from another job`,
    `name the launcher by --runner slurm or --runner ${system.runner}`,
  )
}

/** Options that some runners alone have a use for, and what is so in the others. */
const unused = [
  { option: 'runId', isUsed: (kind) => kind !== 'slurm', why: 'which knows that by itself: leave it out' },
  {
    option: 'mpiLibrary',
    isUsed: (kind) => kind === 'mpi',
    why: 'whose processes do not meet over MPI: leave it out, or add --runner mpi',
  },
  { option: 'identity', isUsed: (kind) => kind === 'slurm', why: 'where each process is one of n: leave it out' },
] as const satisfies readonly {
  readonly option: keyof RunnerOptions
  readonly isUsed: (kind: RunnerKind) => boolean
  readonly why: string
}[]

/**
 * A site may have these in variables, too, for other launchers.
 *
 * @throws RangeError where a flag means nothing to the runner.
 */
export function refuseUnused({ sources = {} }: Pick<RunnerOptions, 'sources'>, kind: RunnerKind): void {
  const typed = unused.find(({ option, isUsed }) => !isUsed(kind) && sources[option] === flagOf(option))
  if (typed !== undefined)
    throw new RangeError(`Cannot use ${flagOf(typed.option)} with --runner ${kind}, ${typed.why}`)
}

/**
 * Takes this process into the run of the launcher that has started it: see {@link chooseRunner}.
 *
 * @throws RangeError where a flag means nothing to the runner, and what chooseRunner throws.
 */
export async function startRunner(wanted: 'auto' | RunnerKind, options: RunnerOptions): Promise<void> {
  const { kind } = chooseRunner({ ...options, env: options.env ?? process.env }, wanted)
  refuseUnused(options, kind)
  const variables = async () => await import('./variables/variables-runner.ts')
  if (kind === 'slurm') await (await import('./slurm/slurm-runner.ts')).SLURMRunner.start(options)
  else if (kind === 'mpi') await (await import('./mpi/mpi-runner.ts')).MPIRunner.start(options)
  else if (kind === 'variables') await (await variables()).VariablesRunner.start(options)
  else await (await variables()).systemRunner(kind).start(options)
}
