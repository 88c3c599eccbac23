/** The files of one side of TLS, PEM. */
export interface TlsFiles {
  /** Certificates of the authorities that sign both sides. */
  readonly caFile: string
  /** Our certificate. */
  readonly cert: string
  /** Our key. @default in the file of the certificate */
  readonly key?: string
}

const prefix = 'DASK_DISTRIBUTED__COMM__TLS__'
const encryption = 'DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION'
const names = { caFile: `${prefix}CA_FILE`, cert: `${prefix}CLIENT__CERT`, key: `${prefix}CLIENT__KEY` } as const

/** Whether a variable is one of those by which Dask speaks TLS. */
export function isTlsVariable(name: string): boolean {
  return name.startsWith(prefix) || name === encryption
}

/** The TLS files that Dask's own clients would take from this environment, or undefined. */
export function tlsFromEnvironment(env: Readonly<NodeJS.ProcessEnv>): TlsFiles | undefined {
  const [caFile, cert, key] = [env[names.caFile], env[names.cert], env[names.key]]
  if (caFile === undefined || cert === undefined) return undefined
  return { caFile, cert, ...(key === undefined ? {} : { key }) }
}

/** Whether Dask refuses in this environment whatever is not encrypted, and has the files that this takes. */
export function demandsTls(env: Readonly<NodeJS.ProcessEnv>): boolean {
  return /^(true|1)$/i.test(env[encryption] ?? '') && tlsFromEnvironment(env) !== undefined
}

/**
 * The environment in which everything of Dask takes these files and speaks nothing but TLS: a plain `Client()`, and a
 * scheduler or a worker that a program or a task starts itself.
 */
export function tlsEnvironment({ caFile, cert, key = cert }: TlsFiles): Record<string, string> {
  const roles = ['CLIENT', 'SCHEDULER', 'WORKER'].flatMap((role) => [
    [`${prefix}${role}__CERT`, cert],
    [`${prefix}${role}__KEY`, key],
  ])
  return {
    [names.caFile]: caFile,
    ...(Object.fromEntries(roles) as Record<string, string>),
    [encryption]: 'True',
  }
}

/** What stands in the files of one side of TLS, PEM. */
export interface TlsMaterial {
  /** Certificates of the authorities that sign both sides. */
  readonly ca: string
  /** Our certificate. */
  readonly cert: string
  /** Our key. */
  readonly key: string
}
