import { createHash } from 'node:crypto'
import { hostOf, reachDask } from '../control/reach.ts'
import { DaskError } from '../dask/errors.ts'
import type { SchedulerClient } from '../dask/scheduler-client.ts'
import { RunnerError } from '../errors.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import type { SchedulerAnswer } from '../rendezvous/judgement.ts'
import type { TlsFiles } from '../util/tls-files.ts'
import type { RunContext } from './context.ts'
import { tlsOf } from './run-tls.ts'

/** Under this key the scheduler of a run keeps what is made of the run's nonce: a small answer, however many workers there are. */
const nonceKey = 'dask-hpc-runner'

/** Leaves the mark of the run with its scheduler, for {@link askScheduler}. */
export async function markScheduler(client: SchedulerClient, nonce: string): Promise<void> {
  await client.setMetadata(nonceKey, markOf(nonce))
}

/** The nonce itself proves who runs the cluster, and whoever reaches the scheduler can read what it keeps. */
function markOf(nonce: string): string {
  return createHash('sha256').update(nonce).digest('hex')
}

/** How to ask. */
interface AskOptions {
  readonly tls: TlsFiles | undefined
  readonly signal?: AbortSignal
}

/** Asks whether the scheduler at a file's address is the one of the file. Nothing is thrown but the signal's reason. */
export async function askScheduler(file: SchedulerFile, options: AskOptions): Promise<SchedulerAnswer> {
  try {
    return await ask(file, options)
  } catch (error) {
    options.signal?.throwIfAborted()
    return answerOf(error)
  }
}

/** @throws DaskError, or what makes the files for TLS unusable. */
async function ask(file: SchedulerFile, { tls, signal }: AskOptions): Promise<SchedulerAnswer> {
  const protocol = file.address.split('://')[0]
  // Another protocol, or no certificate of ours: whether something listens is all that can be known.
  if (protocol !== 'tcp' && (protocol !== 'tls' || tls === undefined))
    return hostOf(file.address) === undefined ? 'answers' : await reachDask(file.address, signal)
  const { SchedulerClient } = await import('../dask/scheduler-client.ts')
  using client = await SchedulerClient.connect(file.address, { ...(tls && { tls }), ...(signal && { signal }) })
  const nonce = file.dask_hpc_runner?.nonce
  const options = signal === undefined ? {} : { signal }
  if (nonce !== undefined && (await client.getMetadata(nonceKey, options)) === markOf(nonce)) return 'answers'
  return (await client.identity(options)).id === file.id ? 'answers' : 'other'
}

function answerOf(error: unknown): SchedulerAnswer {
  if (!(error instanceof DaskError)) return 'other'
  switch (error.reason) {
    case 'refused':
    case 'closed':
      return 'refuses'
    case 'unreachable':
      return 'unreachable'
    case 'silent':
      return 'silent'
    case 'tls':
      // Whoever refuses a certificate is there.
      return 'answers'
    case 'not-dask':
    case 'call-failed':
      return 'other'
  }
}

/**
 * An address that only its own host can use would let Dask's connections wait for long, and those that are refused for
 * their certificate would be tried again ten times a second.
 *
 * @throws RunnerError ERR_UNAVAILABLE where the scheduler of `file` cannot be used from here, ERR_ENVIRONMENT where
 * that is for a certificate.
 */
export async function checkReach(file: SchedulerFile, { identity, signal, options }: RunContext): Promise<void> {
  const answer = await ask(file, { tls: tlsOf(options), signal }).catch((error: unknown) => {
    if (error instanceof DaskError && error.reason === 'tls')
      throw new RunnerError(
        `${cannotUse(file, identity.host)}${error.message.slice(error.message.indexOf(': '))}; give all nodes certificates of the same authority`,
        { code: 'ERR_ENVIRONMENT', cause: error },
      )
    return answerOf(error)
  })
  signal.throwIfAborted()
  // One that is silent is busy: process 0, which has answered, watches over it.
  if (answer === 'answers' || answer === 'silent') return
  const why = {
    refuses: 'nothing listens there',
    other: 'another program answers there',
    unreachable: 'it cannot be reached; name another --interface or --host',
  }[answer]
  throw new RunnerError(`${cannotUse(file, identity.host)}: ${why}`, { code: 'ERR_UNAVAILABLE' })
}

function cannotUse({ address }: SchedulerFile, host: string): string {
  return `Cannot use the scheduler at ${address} from ${host}`
}
