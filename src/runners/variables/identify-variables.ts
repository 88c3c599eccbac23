import { hostname } from 'node:os'
import { type Environment, identityError, readVariable, show } from '../../identity/environment.ts'
import type { Identity } from '../../identity/identity.ts'
import { type CompleteOptions, nameOf } from '../../options.ts'
import { flagOf } from '../../options/names.ts'
import { mostProcesses } from '../../options/table.ts'
import { asWord, numberIn, type Said } from './said.ts'
import { shareInJob } from '../slurm/slurm-share.ts'

/** The options that say who a process is, or which variables do. */
export type PlaceOptions = Pick<
  CompleteOptions,
  'rank' | 'rankFrom' | 'size' | 'sizeFrom' | 'runId' | 'runIdFrom' | 'sources'
>

/**
 * Who this process is by `--rank` or `--rank-from` and their like, under a launcher that nothing else here knows.
 *
 * @throws RangeError where no option says it, RunnerError with `ERR_ENVIRONMENT` where a variable is missing, is no
 * number, or contradicts another.
 */
export function identifyVariables(env: Environment, options: PlaceOptions, host = hostname()): Identity {
  const rank = readNumber(env, options, 'rank')
  if (rank === undefined)
    throw new RangeError(
      `Cannot use --runner variables: nothing says which process this is; name ${flagOf('rankFrom')} or ${flagOf('rank')}`,
    )
  const size = readNumber(env, options, 'size')
  const runId = readRunId(env, options)
  // They are checked as options, before anything else: see checkTogether.
  if (size === undefined || runId === undefined) throw new RangeError('Cannot use a rank alone: name size and run id')
  return {
    ...checkRank(rank, size),
    host,
    // Nothing tells of nodes: they may all be on nodes of their own.
    nodes: size.value,
    share: shareInJob(env, { processes: 1, areTasks: true }),
    runKey: { cluster: 'variables', jobId: runId, stepId: '0', restart: 0 },
    ofTask: options.rankFrom === undefined ? [] : [options.rankFrom],
  }
}

/** @throws RunnerError with `ERR_ENVIRONMENT` where these are no rank and no number of processes. */
export function checkRank(
  rank: Said<number>,
  size: Said<number>,
  counting = 'ranks count from 0',
): Pick<Identity, 'rank' | 'size' | 'source'> {
  if (size.value === 0) throw identityError(`${size.source}, and a run has at least 1 process`, remedy)
  if (size.value > mostProcesses)
    throw identityError(`${size.source}, and a run has up to ${mostProcesses} processes`, remedy)
  if (rank.value >= size.value)
    throw identityError(`${rank.source} but ${size.source}, and ${counting}`, 'check what changed them')
  return { rank: rank.value, size: size.value, source: `${rank.source} of ${size.source}` }
}

const remedy = 'check what changed it'

/** The rank or the size that the options say, or have a variable say; undefined where they say nothing. */
export function readNumber(env: Environment, options: PlaceOptions, what: 'rank' | 'size'): Said<number> | undefined {
  const given = options[what]
  const variable = options[`${what}From`]
  if (given !== undefined) return { value: given, source: `${nameOf(options, what)} ${given}` }
  if (variable === undefined) return undefined
  const said = numberIn(env, variable)
  if (said === undefined) throw missing(env, variable, nameOf(options, `${what}From`))
  return said
}

/** The run id that the options say, or have a variable say; undefined where they say nothing. */
export function readRunId(env: Environment, options: PlaceOptions): string | undefined {
  const { runId, runIdFrom } = options
  if (runId !== undefined || runIdFrom === undefined) return runId
  const text = readVariable(env, runIdFrom)
  if (text === undefined) throw missing(env, runIdFrom, nameOf(options, 'runIdFrom'))
  return asWord(text)
}

function missing(env: Environment, variable: string, option: string): Error {
  return identityError(
    `${show(env, variable)}, and ${option} names it`,
    'start me by the launcher that sets it, or name another variable',
  )
}
