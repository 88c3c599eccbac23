/** The files of a TLS client, PEM, under the names of Dask's configuration. */
export interface TlsFiles {
  /** Certificates of the authorities that sign both sides. */
  readonly caFile: string
  /** Our certificate. */
  readonly cert: string
  /** Our key. @default in the file of the certificate */
  readonly key?: string
}

const names = {
  caFile: 'DASK_DISTRIBUTED__COMM__TLS__CA_FILE',
  cert: 'DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT',
  key: 'DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY',
} as const

/** The TLS files that Dask's own clients would take from this environment, or undefined. */
export function tlsFromEnvironment(env: Readonly<NodeJS.ProcessEnv>): TlsFiles | undefined {
  const [caFile, cert, key] = [env[names.caFile], env[names.cert], env[names.key]]
  if (caFile === undefined || cert === undefined) return undefined
  return { caFile, cert, ...(key === undefined ? {} : { key }) }
}

/** The environment in which Dask's own clients take these files. */
export function tlsEnvironment({ caFile, cert, key = cert }: TlsFiles): NodeJS.ProcessEnv {
  return { [names.caFile]: caFile, [names.cert]: cert, [names.key]: key }
}
