import { fetchCertificates, type Keeper } from '../../control/fetch-certificates.ts'
import { reachDask } from '../../dask/verify-scheduler.ts'
import { messageOf, RunnerError } from '../../errors.ts'
import { Reaper } from '../../process/reaper.ts'
import type { SchedulerFile } from '../../record/scheduler-file.ts'
import type { TlsFiles } from '../../util/tls-files.ts'
import type { FindOptions, NoCluster } from './no-cluster.ts'
import { type Target, tlsFor } from './target.ts'

/** The certificates of secure runs that this process has been given, by the nonce of the run. */
const given = new Map<string, Promise<TlsFiles>>()

const ownKeeper: Keeper = {
  name: 'command',
  // It removes what it was told of as soon as this process is gone, however that ends.
  reaper: new Reaper(),
}

/**
 * Certificates for the scheduler of `file` at `address`: the user's, or those that rank 0 of a secure run gives. They are
 * kept in a directory of this process's own, which is gone when the process is.
 *
 * @returns why there is no cluster, where its rank 0 and its scheduler are gone
 * @throws RunnerError ERR_ENVIRONMENT where there are none for it.
 */
export async function certificatesFor(
  address: string,
  file: SchedulerFile | undefined,
  target: Target,
  wait: FindOptions,
): Promise<{ readonly kind: 'tls'; readonly tls?: TlsFiles } | NoCluster> {
  const record = file?.dask_hpc_runner
  // No others are of its authority: those in the environment are of an earlier run.
  if (!address.startsWith('tls://') || record?.secure !== true) return { kind: 'tls', ...tlsFor(address, target) }
  try {
    const files = given.get(record.nonce) ?? fetchCertificates(record, ownKeeper, wait)
    given.set(record.nonce, files)
    return { kind: 'tls', tls: await files }
  } catch (error) {
    given.delete(record.nonce)
    wait.signal.throwIfAborted()
    if (error instanceof RunnerError && error.code === 'ERR_ENVIRONMENT') throw error
    const answer = await reachDask(address, { signal: wait.signal })
    if (answer === 'refuses') return { kind: 'gone', why: `its scheduler is gone: nothing listens at ${address}` }
    return { kind: answer === 'unreachable' ? 'unreachable' : 'silent', why: messageOf(error) }
  }
}
