import { absolutePath } from '../util/surroundings.ts'
import { checkTlsFiles } from '../security/check-tls.ts'
import type { Reaper } from '../process/reaper.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import { withTwins } from '../util/container-twins.ts'
import { tlsEnvironment, tlsFromEnvironment } from '../util/tls-files.ts'

/** The files of a cluster that speaks TLS, PEM. */
export interface ClientTlsOptions {
  /** Certificates of the authorities that sign both sides. @default that of the run, or of Dask's configuration */
  readonly tlsCaFile?: string | undefined
  /** The client's certificate. */
  readonly tlsCert?: string | undefined
  /** Its key. @default in the file of the certificate */
  readonly tlsKey?: string | undefined
}

/**
 * The environment in which Dask's client takes these files.
 *
 * @returns undefined where none are named
 * @throws RangeError where one is missing; RunnerError ERR_ENVIRONMENT where one cannot be used.
 */
export async function environmentForTls({
  tlsCaFile,
  tlsCert,
  tlsKey,
}: ClientTlsOptions): Promise<NodeJS.ProcessEnv | undefined> {
  if (tlsCaFile === undefined && tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsCaFile === undefined || tlsCert === undefined)
    throw new RangeError('Cannot use TLS with a part of its files: name both tlsCaFile and tlsCert')
  const files = {
    caFile: absolutePath(tlsCaFile),
    cert: absolutePath(tlsCert),
    ...(tlsKey === undefined ? {} : { key: absolutePath(tlsKey) }),
  }
  // Dask's client does not say which file is wrong.
  await checkTlsFiles(files, { use: 'client' })
  return withTwins(tlsEnvironment(files))
}

/**
 * The environment in which Dask's client takes the certificates of a run that was started with --secure. They are kept until
 * `reaper` is closed.
 *
 * @throws RunnerError where rank 0 of the run does not give them, or they cannot be kept.
 */
export async function environmentOfSecureRun(
  run: ClusterRecord,
  reaper: Reaper,
  wait: { readonly timeout: number; readonly signal?: AbortSignal },
): Promise<NodeJS.ProcessEnv> {
  const { fetchCertificates } = await import('../control/fetch-certificates.ts')
  return withTwins(tlsEnvironment(await fetchCertificates(run, { name: 'client', reaper }, wait)))
}

/** What to do where the connection to `address` failed for want of certificates, as far as can be told here. */
export function tlsAdvice(address: string, env: Readonly<NodeJS.ProcessEnv>): string {
  if (!address.startsWith('tls://') || tlsFromEnvironment(env) !== undefined) return ''
  return "; name tlsCaFile, tlsCert and tlsKey, unless Dask's own configuration has them"
}
