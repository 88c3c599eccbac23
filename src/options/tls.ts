import { absolutePath } from '../util/surroundings.ts'
import { demandsTls } from '../util/tls-files.ts'

/** The options that have to do with TLS. */
export interface TlsOptions {
  readonly protocol?: string
  readonly tlsCaFile?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
}

/** These options with absolute paths, and with the protocol that they, or else the environment, imply. */
export function completeTls(
  { tlsCaFile, tlsCert, tlsKey, protocol }: TlsOptions,
  env: Readonly<NodeJS.ProcessEnv>,
): TlsOptions {
  if (tlsCaFile === undefined || tlsCert === undefined)
    return protocol === undefined && demandsTls(env) ? { protocol: 'tls' } : {}
  return {
    protocol: 'tls',
    tlsCaFile: absolutePath(tlsCaFile),
    tlsCert: absolutePath(tlsCert),
    ...(tlsKey === undefined ? {} : { tlsKey: absolutePath(tlsKey) }),
  }
}
