import { resolve } from 'node:path'
import { keptByHost } from '../../dask/verify-scheduler.ts'
import { parseAddress } from '../../dask/address.ts'
import type { SchedulerIdentity } from '../../dask/answers.ts'
import { DaskError } from '../../dask/errors.ts'
import { SchedulerClient } from '../../dask/scheduler-client.ts'
import { messageOf, RunnerError } from '../../errors.ts'
import type { SchedulerFile } from '../../record/scheduler-file.ts'
import { checkTlsFiles } from '../../security/check-tls.ts'
import { leftUntil, monotonic } from '../../util/monotonic.ts'
import { sleep } from '../../util/wait.ts'
import type { TlsFiles } from '../../util/tls-files.ts'
import { withIoTimeout } from '../../util/io-timeout.ts'
import { lookAt, readPath } from './look.ts'
import type { FindOptions, NoCluster } from './no-cluster.ts'
import { certificatesFor } from './secure-cluster.ts'
import { formatTarget, type Target } from './target.ts'

/** How often it is looked for the file of a run that is starting. In milliseconds. */
const lookMs = 100

/** A scheduler that has answered as the one that was looked for. */
export interface LiveCluster {
  readonly kind: 'alive'
  readonly client: SchedulerClient
  /** What it said of itself at that moment. */
  readonly identity: SchedulerIdentity
  /** Undefined where it was found by its address. */
  readonly file: SchedulerFile | undefined
  /** Whose file it is, where that is neither this user nor root. */
  readonly owner?: string
  /** With which it was asked. */
  readonly tls?: TlsFiles | undefined
}

/** Where a scheduler should be. */
interface ExpectedScheduler {
  readonly kind: 'place'
  readonly address: string
  /** Undefined where the user has named the address. */
  readonly file: SchedulerFile | undefined
  /** Whose file it is, where that is neither this user nor root. */
  readonly owner?: string
}

/**
 * Looks once for the cluster: reads its file, connects to the scheduler and compares who answers
 * with whom the file names. The caller closes the client.
 *
 * @throws RunnerError ERR_ENVIRONMENT where TLS is not set up for it, RangeError for an address that is none.
 */
export async function findCluster(target: Target, { timeout, signal }: FindOptions): Promise<LiveCluster | NoCluster> {
  const end = monotonic() + timeout
  const left = (): FindOptions => ({ timeout: leftUntil(end), signal })
  let place = await locate(target, left())
  while (place.kind === 'missing' && 'path' in target && target.isOwnRun === true && monotonic() + lookMs < end) {
    await sleep(lookMs, signal)
    place = await locate(target, left())
  }
  if (place.kind !== 'place') return place
  const { address, file, owner } = place
  const certificates = await certificatesFor(address, file, target, left())
  if (certificates.kind !== 'tls') return { ...certificates, ...(file && { file }) }
  const found = await askScheduler(address, { ...left(), tls: certificates.tls })
  if (found.kind !== 'alive') return { ...found, ...(file && { file }) }
  if (file === undefined) return found
  if (found.identity.id === file.id) return { ...found, file, ...(owner !== undefined && { owner }) }
  found.client.close()
  return { kind: 'gone', why: `its scheduler is gone, and another one listens at ${address} now`, file }
}

/** Reads a target's file. Nobody is asked. @throws RangeError for an address that is none. */
async function locate(target: Target, { timeout, signal }: FindOptions): Promise<ExpectedScheduler | NoCluster> {
  if ('address' in target) {
    parseAddress(target.address)
    return { kind: 'place', address: target.address, file: undefined }
  }
  try {
    const sight = await withIoTimeout(lookAt(target), timeout, () => new HungFilesystem(), signal)
    if (sight.kind !== 'file') return sight
    const { file, owner } = sight
    try {
      parseAddress(file.address)
    } catch (error) {
      return { kind: 'foreign', why: lowered(messageOf(error)), file }
    }
    const host = await keptByHost(file.address, file.dask_hpc_runner)
    if (host !== undefined)
      return {
        kind: 'unreachable',
        why: `it listens on loopback of ${host} only: go there, or start the run with --interface`,
        file,
      }
    return { kind: 'place', address: file.address, file, ...(owner !== undefined && { owner }) }
  } catch (error) {
    if (!(error instanceof HungFilesystem)) throw error
    return hung
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
  return new RunnerError(`${doing} the cluster of ${formatTarget(target)}: ${why}`, { code })
}

class HungFilesystem extends Error {}
const hung: NoCluster = { kind: 'silent', why: 'the filesystem does not answer' }

/**
 * A scheduler may take so long at least to answer, also where the time of the command is over: one that was given less
 * has not been asked, and nothing is known of it. In milliseconds.
 */
const shortestQuestion = 1_000

/** How to ask. */
export interface AskOptions extends FindOptions {
  readonly tls?: TlsFiles | undefined
}

/**
 * Connects to whatever scheduler is at an address, and asks who it is. The caller closes the client.
 *
 * @throws RunnerError ERR_ENVIRONMENT where TLS is not set up for it.
 */
export async function askScheduler(
  address: string,
  { timeout, signal, tls }: AskOptions,
): Promise<LiveCluster | NoCluster> {
  const end = monotonic() + Math.max(timeout, shortestQuestion)
  const options = (): FindOptions => ({ timeout: leftUntil(end), signal })
  let client: SchedulerClient | undefined
  try {
    if (tls !== undefined) {
      await readable(tls, options())
      await checkTlsFiles(tls, { use: 'client' })
    }
    client = await SchedulerClient.connect(address, { ...options(), ...(tls && { tls }) })
    return { kind: 'alive', client, identity: await client.identity(options()), file: undefined, tls }
  } catch (error) {
    client?.close()
    if (error instanceof HungFilesystem) return hung
    if (!(error instanceof DaskError)) throw error
    return whyNot(error)
  }
}

/** Waits until the files have been read once: where their filesystem hangs, nothing else is read of it. */
async function readable({ caFile, cert, key = cert }: TlsFiles, { timeout, signal }: FindOptions): Promise<void> {
  const all = Promise.all([caFile, cert, key].map(async (path) => await readPath(resolve(path))))
  await withIoTimeout(all, timeout, () => new HungFilesystem(), signal)
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
