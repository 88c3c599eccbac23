import { checkTlsFiles } from './check-tls.ts'
import type { CompleteOptions } from '../options.ts'
import { variableOf } from '../options/names.ts'
import { isTlsVariable, tlsEnvironment, tlsFromEnvironment, type TlsFiles } from '../util/tls-files.ts'
import type { RunContext } from '../identity/run-context.ts'

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
  // What is started within a secure run is secure too, with certificates of its own, which other nodes can have.
  return { ...tlsEnvironment(files), ...(options.secure && { [variableOf('secure')]: 'yes' }) }
}

/** Looks at the files of a run that speaks TLS, before anything is started. Gives the error that says which of them is wrong. */
export async function whyUnusable({ options, identity, logger }: RunContext): Promise<Error | undefined> {
  const files = tlsOf(options)
  if (files === undefined) return undefined
  try {
    const warnings = await checkTlsFiles(files, { use: 'both' })
    // All processes see the same, mostly.
    if (identity.rank === 0) for (const warning of warnings) logger.warn(warning)
    return undefined
  } catch (error) {
    return error as Error
  }
}

function daskTls(env: Readonly<NodeJS.ProcessEnv>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => isTlsVariable(name)))
}
