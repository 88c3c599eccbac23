import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { DaskError } from './errors.ts'
import type { SchedulerClient } from './scheduler-client.ts'
import type { Owner } from '../record/cluster-record.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import { hostOf, isLoopback, networkName } from '../util/network.ts'
import { reach, type ReachOptions } from '../util/reach.ts'
import type { TlsFiles } from '../util/tls-files.ts'

/** Under this key the scheduler of a run keeps what is made of the run's nonce: a small answer, however many workers there are. */
const nonceKey = 'dask-hpc-runner'

/**
 * What is at the address of a scheduler file: the scheduler of the file; something that accepts the
 * connection and is silent, which may be it; something `other`; nothing; or no way there.
 */
export type SchedulerAnswer = 'answers' | 'silent' | 'other' | 'refuses' | 'unreachable'

/** Leaves the mark of the run with its scheduler, for {@link verifyScheduler}. */
export async function markScheduler(client: SchedulerClient, nonce: string): Promise<void> {
  await client.setMetadata(nonceKey, markOf(nonce))
}

/** The nonce itself proves who runs the cluster, and whoever reaches the scheduler can read what it keeps. */
function markOf(nonce: string): string {
  return createHash('sha256').update(nonce).digest('hex')
}

/** How to ask. */
export interface VerifyOptions {
  readonly tls: TlsFiles | undefined
  /** How long it may take to connect. In milliseconds. @default 3 s */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

/** Asks whether the scheduler at a file's address is the one of the file. Nothing is thrown but the signal's reason. */
export async function verifyScheduler(file: SchedulerFile, options: VerifyOptions): Promise<SchedulerAnswer> {
  // Whoever is asked there is not the one who is meant.
  if ((await keptByHost(file.address, file.dask_hpc_runner)) !== undefined) return 'unreachable'
  try {
    return await verifyOrThrow(file, options)
  } catch (error) {
    options.signal?.throwIfAborted()
    return answerOf(error)
  }
}

/** @throws DaskError, or what makes the files for TLS unusable. */
export async function verifyOrThrow(
  file: SchedulerFile,
  { tls, timeout, signal }: VerifyOptions,
): Promise<SchedulerAnswer> {
  const protocol = file.address.split('://')[0]
  // Another protocol, or no certificate of ours: whether something listens is all that can be known.
  if (protocol !== 'tcp' && (protocol !== 'tls' || tls === undefined))
    return hostOf(file.address) === undefined ? 'answers' : await reachDask(file.address, { timeout, signal })
  const { SchedulerClient } = await import('./scheduler-client.ts')
  using client = await SchedulerClient.connect(file.address, {
    ...(tls && { tls }),
    ...(timeout !== undefined && { timeout }),
    ...(signal && { signal }),
  })
  const nonce = file.dask_hpc_runner?.nonce
  const options = signal === undefined ? {} : { signal }
  if (nonce !== undefined && (await client.getMetadata(nonceKey, options)) === markOf(nonce)) return 'answers'
  return (await client.identity(options)).id === file.id ? 'answers' : 'other'
}

/** What a failed question says of the scheduler. */
export function answerOf(error: unknown): SchedulerAnswer {
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
 * The other host that keeps a Dask address to itself: it is loopback there, where somebody else may listen at the
 * same port here. Undefined where it can be asked.
 */
export async function keptByHost(address: string, owner: Owner | undefined): Promise<string | undefined> {
  if (owner === undefined || owner.host === hostname() || !isLoopback(hostOf(address) ?? '')) return undefined
  return owner.control.network === (await networkName()) ? undefined : owner.host
}

/** What comes of connecting to a Dask address such as `tcp://10.0.0.1:8786`; a port that stays silent answers. */
export async function reachDask(
  address: string,
  options: ReachOptions = {},
): Promise<'answers' | 'refuses' | 'unreachable'> {
  const host = hostOf(address)
  const port = Number(/:(\d+)$/.exec(address)?.[1])
  if (host === undefined) return 'unreachable'
  const reached = await reach(host, port, options)
  if (typeof reached !== 'string') reached.destroy()
  return reached === 'refused' ? 'refuses' : reached === 'unreachable' ? 'unreachable' : 'answers'
}
