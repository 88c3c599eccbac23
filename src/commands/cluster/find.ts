import { resolve } from 'node:path'
import { parseAddress } from '../../dask/address.ts'
import type { SchedulerIdentity } from '../../dask/calls/identity.ts'
import { DaskError } from '../../dask/errors.ts'
import { SchedulerClient } from '../../dask/scheduler-client.ts'
import { messageOf, RunnerError } from '../../errors.ts'
import type { SchedulerFile } from '../../record/scheduler-file.ts'
import type { TlsFiles } from '../../util/tls-files.ts'
import { deadline } from '../../util/wait.ts'
import { lookAt } from './look.ts'
import { readApart } from './reader.ts'
import { sayTarget, type Target, tlsFor } from './target.ts'

/** A scheduler that has answered as the one that was looked for. */
export interface LiveCluster {
  readonly kind: 'alive'
  readonly client: SchedulerClient
  /** What it said of itself at that moment. */
  readonly identity: SchedulerIdentity
  /** Undefined where it was found by its address. */
  readonly file: SchedulerFile | undefined
}

/**
 * Why there is no such scheduler; `why` follows on the target's name and a colon.
 *
 * `missing`: no file (yet). `foreign`: no scheduler file, and it never will be. `gone`: nothing
 * listens any more, or another scheduler does. `stranger`: something that is not Dask listens.
 * `unreachable`: no connection came about. `silent`: it listens and does not answer: busy, or frozen.
 */
export interface NoCluster {
  readonly kind: 'missing' | 'foreign' | 'gone' | 'stranger' | 'unreachable' | 'silent'
  readonly why: string
  readonly file?: SchedulerFile
}

/** How to look. */
export interface FindOptions {
  /** Milliseconds. */
  readonly timeout: number
  readonly signal?: AbortSignal
}

/**
 * Looks once for the cluster: reads its file, connects to the scheduler and compares who answers
 * with whom the file names. The caller closes the client.
 *
 * @throws RunnerError ERR_ENVIRONMENT where TLS is not set up for it, RangeError for an address that is none.
 */
export async function findCluster(target: Target, { timeout, signal }: FindOptions): Promise<LiveCluster | NoCluster> {
  const end = performance.now() + timeout
  try {
    if ('address' in target) {
      parseAddress(target.address)
      return await ask(target.address, undefined, { target, end, signal })
    }
    const sight = await deadline(lookAt(target.path), timeout, () => new HungFilesystem(), signal)
    if (sight.kind !== 'file') return sight
    const { file } = sight
    try {
      parseAddress(file.address)
    } catch (error) {
      return { kind: 'foreign', why: lowered(messageOf(error)), file }
    }
    return await ask(file.address, file, { target, end, signal })
  } catch (error) {
    if (!(error instanceof HungFilesystem)) throw error
    return { kind: 'silent', why: 'the filesystem does not answer' }
  }
}

/**
 * The same, for callers that need a cluster.
 *
 * @param doing begins the message, such as `Cannot ask`
 * @throws RunnerError ERR_UNAVAILABLE where there is none, ERR_TIMED_OUT where it does not answer.
 */
export async function needCluster(target: Target, doing: string, options: FindOptions): Promise<LiveCluster> {
  const found = await findCluster(target, options)
  if (found.kind === 'alive') return found
  throw noCluster(target, doing, found)
}

/** The error of a command that cannot go on without the cluster. */
export function noCluster(target: Target, doing: string, { kind, why }: NoCluster): RunnerError {
  const code = kind === 'silent' ? 'ERR_TIMED_OUT' : 'ERR_UNAVAILABLE'
  return new RunnerError(`${doing} the cluster of ${sayTarget(target)}: ${why}`, { code })
}

class HungFilesystem extends Error {}

interface Asking {
  readonly target: Target
  /** By `performance.now()`. */
  readonly end: number
  readonly signal: AbortSignal | undefined
}

async function ask(
  address: string,
  file: SchedulerFile | undefined,
  { target, end, signal }: Asking,
): Promise<LiveCluster | NoCluster> {
  const options = (): FindOptions => ({ timeout: Math.max(1, end - performance.now()), ...(signal && { signal }) })
  let client: SchedulerClient | undefined
  try {
    const { tls } = tlsFor(address, target)
    if (tls !== undefined) await readable(tls, options())
    client = await SchedulerClient.connect(address, { ...options(), ...(tls && { tls }) })
    const identity = await client.identity(options())
    if (file !== undefined && identity.id !== file.id) {
      client.close()
      return { kind: 'gone', why: `its scheduler is gone, and another one listens at ${address} now`, file }
    }
    return { kind: 'alive', client, identity, file }
  } catch (error) {
    client?.close()
    if (!(error instanceof DaskError)) throw error
    return { ...whyNot(error), ...(file && { file }) }
  }
}

/** Waits until the files have been read once: reading them to use them holds up everything else. */
async function readable({ caFile, cert, key = cert }: TlsFiles, { timeout, signal }: FindOptions): Promise<void> {
  const all = Promise.all([caFile, cert, key].map(async (path) => await readApart(resolve(path))))
  await deadline(all, timeout, () => new HungFilesystem(), signal)
}

function whyNot(error: DaskError): NoCluster {
  const { address, reason, message } = error
  switch (reason) {
    case 'refused':
      return { kind: 'gone', why: `its scheduler is gone: nothing listens at ${address}` }
    case 'closed':
      return { kind: 'gone', why: `its scheduler ended while it was asked (${address})` }
    case 'not-dask':
    case 'call-failed':
      return { kind: 'stranger', why: lowered(message) }
    case 'unreachable':
      return { kind: 'unreachable', why: lowered(message) }
    case 'silent':
      return { kind: 'silent', why: lowered(message) }
    case 'tls':
      // What speaks no TLS at all is not the scheduler of a tls:// address.
      if (message.includes('does not speak TLS')) return { kind: 'stranger', why: lowered(message) }
      throw new RunnerError(message, { code: 'ERR_ENVIRONMENT', cause: error })
  }
}

/** A sentence as the end of another one. */
function lowered(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1)
}
