import type { ClusterRecord } from '../record/cluster-record.ts'
import { PrivateFiles } from '../security/private-files.ts'
import type { DirectoryKeeper } from '../util/own-directory.ts'
import type { TlsFiles } from '../util/tls-files.ts'
import { ControlClient, type ControlWait } from './control-client.ts'

/** Who keeps the certificates of a run beside it. */
export interface Keeper {
  /** Tells whose they are, in the name of their directory. */
  readonly name: string
  /** Removes their directory. */
  readonly reaper: DirectoryKeeper
}

/**
 * Asks rank 0 of a secure run for its certificates, with the secret in the scheduler file, and writes them for this
 * process alone.
 *
 * @throws RunnerError as {@link ControlClient} does, and ERR_ENVIRONMENT where they cannot be written.
 */
export async function fetchCertificates(
  record: ClusterRecord,
  { name, reaper }: Keeper,
  wait: ControlWait,
): Promise<Required<TlsFiles>> {
  const late = AbortSignal.timeout(Math.ceil(wait.timeout))
  const signal = wait.signal === undefined ? late : AbortSignal.any([wait.signal, late])
  using client = await ControlClient.open(record, { signal })
  const files = await PrivateFiles.named(`${record.run_key}-${name}`)
  await files.write(await client.certificates(wait), reaper)
  return files.files
}
