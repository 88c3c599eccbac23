import { createHash } from 'node:crypto'
import { hostOf, reachDask } from '../control/reach.ts'
import { DaskError } from '../dask/errors.ts'
import type { SchedulerClient } from '../dask/scheduler-client.ts'
import { RunnerError } from '../errors.ts'
import type { CompleteOptions } from '../options.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import type { SchedulerAnswer } from '../rendezvous/judgement.ts'
import { tlsFromEnvironment, type TlsFiles } from '../util/tls-files.ts'
import type { RunContext } from './context.ts'

/** Under this key the scheduler of a run keeps what is made of the run's nonce: a small answer, however many workers there are. */
const nonceKey = 'dask-hpc-runner'

/** The TLS files of a run's own clients, or undefined. */
export function tlsOf({ tlsCaFile, tlsCert, tlsKey, env }: CompleteOptions): TlsFiles | undefined {
  if (tlsCaFile === undefined || tlsCert === undefined) return tlsFromEnvironment(env)
  return { caFile: tlsCaFile, cert: tlsCert, ...(tlsKey === undefined ? {} : { key: tlsKey }) }
}

/** Leaves the mark of the run with its scheduler, for {@link askScheduler}. */
export async function markScheduler(client: SchedulerClient, nonce: string): Promise<void> {
  await client.setMetadata(nonceKey, markOf(nonce))
}

/** The nonce itself proves who runs the cluster, and whoever reaches the scheduler can read what it keeps. */
function markOf(nonce: string): string {
  return createHash('sha256').update(nonce).digest('hex')
}

/** Asks whether the scheduler at a file's address is the one of the file. Nothing is thrown but the signal's reason. */
export async function askScheduler(
  file: SchedulerFile,
  { tls, signal }: { readonly tls: TlsFiles | undefined; readonly signal?: AbortSignal },
): Promise<SchedulerAnswer> {
  const protocol = file.address.split('://')[0]
  // Another protocol, or no certificate of ours: whether something listens is all that can be known.
  if (protocol !== 'tcp' && (protocol !== 'tls' || tls === undefined))
    return hostOf(file.address) === undefined ? 'answers' : await reachDask(file.address, signal)
  try {
    const { SchedulerClient } = await import('../dask/scheduler-client.ts')
    using client = await SchedulerClient.connect(file.address, { ...(tls && { tls }), ...(signal && { signal }) })
    const nonce = file.dask_hpc_runner?.nonce
    const options = signal === undefined ? {} : { signal }
    if (nonce !== undefined && (await client.getMetadata(nonceKey, options)) === markOf(nonce)) return 'answers'
    return (await client.identity(options)).id === file.id ? 'answers' : 'other'
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof DaskError)) return 'other'
    switch (error.reason) {
      case 'refused':
        return 'refuses'
      case 'unreachable':
        return 'unreachable'
      case 'silent':
        return 'silent'
      case 'tls':
        return 'answers'
      case 'not-dask':
      case 'call-failed':
        return 'other'
      case 'closed':
        return 'refuses'
    }
  }
}

/**
 * An address that only its own host can use would let Dask's connections wait for long.
 *
 * @throws RunnerError ERR_UNAVAILABLE where the scheduler of `file` cannot be used from here.
 */
export async function checkReach(file: SchedulerFile, { identity, signal, options }: RunContext): Promise<void> {
  const answer = await askScheduler(file, { tls: tlsOf(options), signal })
  signal.throwIfAborted()
  // One that is silent is busy: process 0, which has answered, watches over it.
  if (answer === 'answers' || answer === 'silent') return
  const why = {
    refuses: 'nothing listens there',
    other: 'another program answers there',
    unreachable: 'it cannot be reached; name another --interface or --host',
  }[answer]
  throw new RunnerError(`Cannot use the scheduler at ${file.address} from ${identity.host}: ${why}`, {
    code: 'ERR_UNAVAILABLE',
  })
}
