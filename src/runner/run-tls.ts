import { checkTlsFiles } from '../security/check-tls.ts'
import type { CompleteOptions } from '../options.ts'
import { isTlsVariable, tlsEnvironment, tlsFromEnvironment, type TlsFiles } from '../util/tls-files.ts'
import type { RunContext } from './context.ts'

/** The TLS files of a run's own clients, or undefined. */
export function tlsOf({ tlsCaFile, tlsCert, tlsKey, env }: CompleteOptions): TlsFiles | undefined {
  if (tlsCaFile === undefined || tlsCert === undefined) return tlsFromEnvironment(env)
  return { caFile: tlsCaFile, cert: tlsCert, ...(tlsKey === undefined ? {} : { key: tlsKey }) }
}

/** What a run's processes find in their environment beside what `env` has, so that all of Dask speaks TLS. */
export function tlsVariables(options: CompleteOptions): Record<string, string | undefined> {
  const files = tlsOf(options)
  if (options.protocol !== 'tls' || files === undefined) return {}
  // Where the files are those of the environment, that may have others for scheduler and workers.
  if (options.tlsCaFile === undefined) return { ...tlsEnvironment(files), ...daskTls(options.env) }
  return tlsEnvironment(files)
}

/**
 * Looks at the files of a run that speaks TLS, before anything is started.
 *
 * @throws RunnerError ERR_ENVIRONMENT that says which file is wrong.
 */
export async function checkRunTls({ options, identity, logger }: RunContext): Promise<void> {
  const files = tlsOf(options)
  if (files === undefined) return
  const warnings = await checkTlsFiles(files, { use: 'both' })
  // All processes see the same, mostly.
  if (identity.rank === 0) for (const warning of warnings) logger.warn(warning)
}

function daskTls(env: Readonly<NodeJS.ProcessEnv>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => isTlsVariable(name)))
}
