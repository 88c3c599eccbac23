import { DaskError } from '../dask/errors.ts'
import { defaults } from '../defaults.ts'
import { RunnerError } from '../errors.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import { monotonic } from '../util/monotonic.ts'
import { sleep } from '../util/wait.ts'
import type { RunContext } from '../identity/run-context.ts'
import { answerOf, verifyOrThrow } from '../dask/verify-scheduler.ts'
import { tlsOf } from '../security/run-tls.ts'

/** How long the scheduler may take to be reached, as Dask's own connections to it may. In milliseconds. */
const reachTime = 30_000
/** Between two tries, a part of it at random; and the longest that one may take. In milliseconds. */
const [firstPause, longestTry] = [500, 10_000]

/** A scheduler that has listened and does no more has ended: rank 0 tells of that within this time, and why. In milliseconds. */
const tellTime = 2_000

/** The network as seen by {@link checkReach}; a test puts its own in its place. */
export interface ReachSeams {
  readonly ask: typeof verifyOrThrow
  readonly sleep: typeof sleep
  readonly now: () => number
}

/**
 * An address that only its own host can use would let Dask's connections wait for long, and those that are refused for
 * their certificate would be tried again ten times a second. On a slow network the first try may come too early.
 *
 * @throws RunnerError ERR_UNAVAILABLE where the scheduler of `file` cannot be used from here, ERR_ENVIRONMENT where
 * that is for a certificate.
 */
export async function checkReach(
  file: SchedulerFile,
  { identity, signal, options, logger }: RunContext,
  seams: ReachSeams = { ask: verifyOrThrow, sleep, now: monotonic },
): Promise<void> {
  const { now } = seams
  const began = now()
  const patience = { unreachable: Math.min(reachTime, options.rendezvousTimeout), refuses: tellTime, other: 0 }
  const cannot = `Cannot use the scheduler at ${file.address} from ${identity.host}`
  for (let attempt = 1; ; attempt++) {
    const timeout = Math.min(longestTry, defaults.connectTimeout * 2 ** (attempt - 1))
    const answer = await seams.ask(file, { tls: tlsOf(options), timeout, signal }).catch((error: unknown) => {
      if (error instanceof DaskError && error.reason === 'tls')
        throw new RunnerError(
          `${cannot}${error.message.slice(error.message.indexOf(': '))}; give all nodes certificates of the same authority`,
          { code: 'ERR_ENVIRONMENT', cause: error },
        )
      // Its own files for TLS cannot be used.
      if (error instanceof RunnerError && !(error instanceof DaskError)) throw error
      return answerOf(error)
    })
    signal.throwIfAborted()
    // One that is silent is busy: rank 0, which has answered, watches over it.
    if (answer === 'answers' || answer === 'silent') return
    const why = {
      refuses: 'nothing listens there',
      other: 'another program answers there',
      unreachable:
        'it cannot be reached; name another --interface or --host, or a --port that is open between the nodes',
    }[answer]
    if (now() - began >= patience[answer]) throw new RunnerError(`${cannot}: ${why}`, { code: 'ERR_UNAVAILABLE' })
    if (attempt === 1 && answer === 'unreachable') logger.warn(`${cannot} yet: ${why}; trying again`)
    await seams.sleep(firstPause * attempt * (0.5 + Math.random()), signal)
  }
}
