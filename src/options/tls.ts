import { absolutePath } from '../util/surroundings.ts'

/** The options that have to do with TLS. */
export interface TlsOptions {
  readonly protocol?: string
  readonly tlsCaFile?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
}

/** These options with absolute paths, and with the protocol that they imply. */
export function completeTls({ tlsCaFile, tlsCert, tlsKey }: TlsOptions): TlsOptions {
  if (tlsCaFile === undefined || tlsCert === undefined) return {}
  return {
    protocol: 'tls',
    tlsCaFile: absolutePath(tlsCaFile),
    tlsCert: absolutePath(tlsCert),
    ...(tlsKey === undefined ? {} : { tlsKey: absolutePath(tlsKey) }),
  }
}
