import { RunnerError } from '../../errors.ts'
import type { SchedulerAnswer } from '../../dask/verify-scheduler.ts'
import { readListed } from '../../filesystem/list.ts'
import { UntrustedError } from '../../filesystem/untrusted.ts'
import type { Owner } from '../../record/cluster-record.ts'
import { parseSchedulerFile } from '../../record/parse.ts'
import type { SchedulerFile } from '../../record/scheduler-file.ts'
import { cannotPublish, refusal } from './cannot-publish.ts'
import type { RendezvousPaths } from './names.ts'

/** What the control port of an owner says: it answers, it refuses, or nothing comes back. */
export type OwnerAnswer = 'alive' | 'gone' | 'unreachable'
/** Asks an owner whether its run still lives. Ends within seconds. */
export type AskOwner = (owner: Owner) => Promise<OwnerAnswer>
/** Asks who is at the address of a scheduler file. Ends within seconds. */
export type VerifyScheduler = (file: SchedulerFile) => Promise<SchedulerAnswer>

/** How to find out whether what stands at a path is stale. */
export interface PathQuestions {
  /** The run that asks, as one word: see `formatRunKey`. */
  readonly runKey: string
  /** Asks the control port of another run whether it lives. */
  readonly ask: AskOwner
  /** Tries the address in a scheduler file that nobody claims. */
  readonly verifyScheduler: VerifyScheduler
  /** Whether the run of that key is over for certain, as an earlier start of a restarted job is. */
  readonly isOver: (runKey: string) => boolean
}

/** What stands at a path. */
export type PathState =
  | { readonly kind: 'free' }
  /** It may be replaced. `notice`: what is said then, where it is worth a word. */
  | { readonly kind: 'stale'; readonly text: string; readonly notice?: string }
  /** It is left alone. `why` has what to do. */
  | {
      readonly kind: 'in use'
      readonly why: string
      /** Another start of this very run is alive. */
      readonly isOurRun?: boolean
    }

/**
 * What stands at the scheduler file's path. Its run, and else its scheduler, is asked whether it is still there.
 *
 * @throws RunnerError ERR_CANNOT_PUBLISH where the path cannot be read.
 */
export async function checkStale(paths: RendezvousPaths, questions: PathQuestions): Promise<PathState> {
  let text: string | undefined
  try {
    text = await readTarget(paths)
  } catch (error) {
    if (error instanceof UntrustedError)
      return { kind: 'in use', why: `what stands there is left alone: ${error.message}; name another path` }
    throw cannotPublish(paths.schedulerFile, error)
  }
  if (text === undefined) return { kind: 'free' }
  const parsed = parseSchedulerFile(text)
  const replacing = `Replacing "${paths.schedulerFile}"`
  switch (parsed.kind) {
    case 'empty':
      return { kind: 'stale', text, notice: `${replacing}, an empty file` }
    case 'truncated':
      return { kind: 'stale', text, notice: `${replacing}, an incomplete file` }
    case 'foreign':
      return { kind: 'in use', why: `a file that is not ours stands there: ${parsed.why}; name another path` }
    case 'valid': {
      const state = await stateOfCluster(parsed.file, questions)
      return typeof state === 'string' ? { kind: 'stale', text, notice: `${replacing}${state}` } : state
    }
  }
}

/** Whose file stands at the scheduler file's path: nobody's, the run's of that nonce, or another's. */
export async function whoseTarget(paths: RendezvousPaths, nonce: string): Promise<'none' | 'ours' | 'other'> {
  const text = await readTarget(paths)
  if (text === undefined) return 'none'
  const parsed = parseSchedulerFile(text)
  return parsed.kind === 'valid' && parsed.file.dask_hpc_runner?.nonce === nonce ? 'ours' : 'other'
}

/** The text at the scheduler file's path. @throws UntrustedError, or a system error. */
export async function readTarget({ directory, base }: RendezvousPaths): Promise<string | undefined> {
  return await readListed(directory, base)
}

/** What stands at a path where `owner` is said to run a cluster or to start one. Undefined: it is gone. */
export async function stateOfOwner(
  owner: Owner,
  { runKey, ask, isOver }: PathQuestions,
  path: string,
): Promise<{ readonly inUse: PathState } | 'gone' | 'over'> {
  const answer = await ask(owner)
  if (answer === 'gone') return 'gone'
  if (answer === 'alive') return { inUse: inUseBy(owner, runKey) }
  if (isOver(owner.run_key)) return 'over'
  const why = `${formatOwner(owner)} holds it and cannot be reached; if that run is over, remove ${path}`
  return { inUse: { kind: 'in use', why } }
}

function inUseBy(owner: Owner, runKey: string): PathState {
  if (owner.run_key !== runKey)
    return { kind: 'in use', why: `${formatOwner(owner)} is using it; end that run or name another scheduler file` }
  const who = `another process claims to be rank 0 of this run (process id ${owner.pid} on ${owner.host})`
  return { kind: 'in use', why: `${who}; were Slurm's variables copied by ssh?`, isOurRun: true }
}

function formatOwner({ run_key, host, pid }: Owner): string {
  return `run ${run_key} on host ${host} (process id ${pid})`
}

/** Gives what goes on after `Replacing "F"` where the cluster of that file is gone. */
async function stateOfCluster(file: SchedulerFile, questions: PathQuestions): Promise<PathState | string> {
  const { dask_hpc_runner: owner, address } = file
  const its = owner === undefined ? undefined : await stateOfOwner(owner, questions, 'the file')
  if (typeof its === 'object') return its.inUse
  const answer = await questions.verifyScheduler(file)
  const inUse = (how: string): PathState => ({ kind: 'in use', why: `the Dask scheduler that it names ${how}` })
  switch (answer) {
    case 'answers':
      return inUse(`answers at ${address}; end that one or name another path`)
    case 'silent':
      return inUse(`accepts connections, and is busy or frozen, at ${address}; end that one or name another path`)
    case 'unreachable':
      if (its !== 'over') return inUse(`cannot be reached at ${address}; if that one is over, remove the file`)
      break
    default:
  }
  if (owner !== undefined) return ` of ${formatOwner(owner)}, which is ${its === 'over' ? 'over' : 'gone'}`
  return `, whose scheduler at ${address} is gone${answer === 'other' ? ': something else answers there' : ''}`
}

/** What stands at a path is to be left alone. */
export class PathInUseError extends RunnerError {
  /** Another start of this very run is alive: the run's directory is that one's. */
  readonly isOurRun: boolean

  constructor(path: string, { why, isOurRun = false }: Extract<PathState, { kind: 'in use' }>) {
    super(refusal(path, why).message, { code: 'ERR_CANNOT_PUBLISH' })
    this.isOurRun = isOurRun
  }
}
