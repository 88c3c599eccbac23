import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { childEnvironment } from '../../components/child-environment.ts'
import { messageOf } from '../../errors.ts'
import type { ChosenRunner } from '../../runners/choose-runner.ts'
import type { Identity } from '../../identity/identity.ts'
import { identifyMpi, tellsSize } from '../../runners/mpi/identify-mpi.ts'
import { fillIn, formatRunKey } from '../../identity/run-key.ts'
import { kinds } from '../../runners/kinds.ts'
import { createLogger } from '../../logger.ts'
import type { CompleteOptions } from '../../options.ts'
import { assignRoles } from '../../identity/roles.ts'
import type { RunContext } from '../../identity/run-context.ts'
import { temporaryDirectory } from '../../util/surroundings.ts'
import type { MpiFacts } from './mpi.ts'
import type { IdentityFacts } from './workload-manager.ts'

/** What is examined: the run that this process would take part in with these options. */
export interface Subject {
  readonly options: CompleteOptions
  readonly runner: ChosenRunner
  /** Whether the scheduler file is one for all processes, and not of each its own. */
  readonly isShared: boolean
  /** The environment of what a run would start. */
  readonly env: NodeJS.ProcessEnv
  readonly place: IdentityFacts
  /** Undefined outside of a job. */
  readonly run: RunContext | undefined
  /** 0 outside of a job. */
  readonly rank: number
  /** Absolute path, with its placeholders filled in as far as they are known. */
  readonly schedulerFile: string
  /** Tells this doctor's files from those of any other, and is the same in all processes of a job. */
  readonly key: string
}

/** What {@link subjectOf} takes beside the options. */
export interface SubjectOptions {
  readonly runner: ChosenRunner
  /** Whether `--scheduler-file` names one. */
  readonly wantsFile: boolean
  /** Undefined where that was not looked at, or there was nothing to see. */
  readonly mpi: MpiFacts | undefined
  readonly signal: AbortSignal
}

/** Finds out what is to be examined; where it cannot be told who this process is, that is part of it. */
export async function subjectOf(
  options: CompleteOptions,
  { runner, wantsFile, mpi, signal }: SubjectOptions,
): Promise<Subject> {
  const isMpi = runner.kind === 'mpi'
  const isShared = !isMpi || mpi?.by !== 'broadcast' || wantsFile
  const same = { options, runner, isShared }
  const ownKey = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`
  try {
    const identity = isMpi ? identifyByMpi(options, mpi) : await kinds[runner.kind].identify(options)
    const roles = assignRoles({ ...options, size: identity.size })
    const schedulerFile = isShared
      ? fillIn(options.schedulerFile, identity.runKey)
      : join(temporaryDirectory(), `dask-hpc-runner-${ownKey}.json`)
    const run = { options, logger: createLogger(), signal, identity, roles, schedulerFile }
    const place = { identity, roles: roles[identity.rank] ?? [] }
    // The key of an MPI launcher's run need not be unique to it.
    const key = isMpi ? ownKey : formatRunKey(identity.runKey)
    const env = childEnvironment(options.env, { ...options, ofTask: identity.ofTask })
    return { ...same, env, place, run, rank: identity.rank, schedulerFile, key }
  } catch (error) {
    return {
      ...same,
      env: childEnvironment(options.env, options),
      place: { why: messageOf(error) },
      run: undefined,
      rank: 0,
      schedulerFile: options.schedulerFile,
      key: ownKey,
    }
  }
}

/** The library is asked only for what the launcher's variables do not tell. */
function identifyByMpi({ env, runId }: CompleteOptions, mpi: MpiFacts | undefined): Identity {
  const world = mpi?.by === 'broadcast' && !tellsSize(env) ? mpi.world : undefined
  return identifyMpi(env, { runId, world })
}
