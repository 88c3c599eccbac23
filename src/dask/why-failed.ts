import { errnoOf, messageOf } from '../errors.ts'
import type { DaskErrorReason } from './errors.ts'
import { identifyPeer } from './identify-peer.ts'

/** Why a connection did not come about, of which a socket says `error`; `heard` is what came until then. */
export function whyNotConnected(
  error: Error,
  { tls, heard }: { readonly tls: boolean; readonly heard: Uint8Array },
): readonly [DaskErrorReason, string] {
  const code = errnoOf(error) ?? ''
  if (code === 'ECONNREFUSED') return ['refused', 'nothing listens there']
  if (tls && speaksNoTls.has(code)) return ['tls', 'it does not speak TLS; write the address as tcp://']
  if (tls && isAboutTls(error, code)) return ['tls', `${whoRefuses(code)} (${formatTls(error)})`]
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return tls ? ['tls', 'it breaks off TLS: it may not accept our certificate'] : ['not-dask', identifyPeer(heard)]
  return ['unreachable', formatError(error)]
}

/** What Node says of a peer that answers TLS with something else. */
const speaksNoTls = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'EPROTO'])

function isAboutTls({ message }: Error, code: string): boolean {
  return /^ERR_(SSL|TLS)|CERT|^UNABLE_TO_/.test(code) || /certificate|SSL routines|TLS/i.test(message)
}

/** An alert comes from the other side; a code of X.509 from looking at its certificate. */
function whoRefuses(code: string): string {
  if (/ALERT_(UNKNOWN_CA|.*CERTIFICATE)/.test(code)) return 'it does not accept our certificate'
  return code.startsWith('ERR_') || code === 'ECONNRESET' ? 'TLS was not agreed on' : 'its certificate is not accepted'
}

/** OpenSSL's reason where there is one: its messages have a line of library names around it. */
function formatTls(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : messageOf(error)
}

/** Of a name with several addresses, Node collects the failures in an error without a message. */
export function formatError(error: Error): string {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error]
  return messageOf(first)
}
