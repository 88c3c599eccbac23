import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { TlsFiles } from '../util/tls-files.ts'
import { type Pem, reasonOf, formatPart, tlsError } from '../util/read-pem.ts'

/** What a certificate has to be good for: `client` for who only connects, `both` for schedulers and workers. */
export type TlsUse = 'client' | 'both'

/** What is in the files, and how to look at it. */
export interface TlsContents {
  readonly files: TlsFiles
  readonly ca: Pem
  readonly cert: Pem
  readonly key: Pem
  readonly use: TlsUse
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Who has less left is told. In milliseconds. */
const soon = 86_400_000

const [serverAuth, clientAuth, anyUse] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', '2.5.29.37.0']

/**
 * Compares key, certificate and authority of TLS, as far as sentences for people go.
 *
 * @returns what is not wrong yet, but will be, or may be elsewhere
 * @throws RunnerError ERR_ENVIRONMENT for the first that is wrong
 */
export function findTlsProblems({ files, ca, cert, key, use, now }: TlsContents): readonly string[] {
  const { caFile, cert: certFile, key: keyFile = certFile } = files
  const authorities = certificatesIn(ca.text, caFile, 'authority')
  const [mine, ...chain] = certificatesIn(cert.text, certFile, 'certificate')
  if (!mine.checkPrivateKey(privateKeyIn(key.text, keyFile)))
    throw tlsError(
      `${formatPart('key', keyFile)} does not belong to ${formatPart('certificate', certFile)}`,
      'name the two that were made together',
    )
  checkPurpose(mine, certFile, use)
  const issuer = authorities.find((each) => hasSigned(each, mine))
  // A chain in the certificate's file may lead to the authority: what is not seen here shows in a handshake.
  if (issuer === undefined && chain.length === 0)
    throw tlsError(
      `${formatPart('certificate', certFile)} is not signed by ${formatPart('authority', caFile)}: ` +
        `it was issued by ${formatName(mine.issuer)}, and the authority is ${authorities.map(({ subject }) => formatName(subject)).join(', ')}`,
      'name the authority that has signed the certificates of the cluster',
    )
  const isOpen = (key.mode & 0o077) !== 0
  return [
    ...(isOpen ? [`${formatPart('key', keyFile)} can be read by others; chmod 600 keeps it yours`] : []),
    ...checkDates(mine, formatPart('certificate', certFile), now),
    ...(issuer === undefined ? [] : checkDates(issuer, formatPart('authority', caFile), now)),
  ]
}

type Certificates = readonly [X509Certificate, ...X509Certificate[]]

function certificatesIn(text: string, path: string, part: 'authority' | 'certificate'): Certificates {
  const [first, ...others] = text.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END [^-]*-----/g) ?? []
  if (first === undefined) {
    const kind = /-----BEGIN ([^-]*)-----/.exec(text)?.[1] ?? 'something else'
    throw tlsError(`${formatPart(part, path)} holds no certificate, but ${JSON.stringify(kind)}`)
  }
  const parse = (block: string): X509Certificate => {
    try {
      return new X509Certificate(block)
    } catch (cause) {
      throw tlsError(`${formatPart(part, path)} is damaged (${reasonOf(cause)})`, undefined, cause)
    }
  }
  return [parse(first), ...others.map(parse)]
}

function privateKeyIn(text: string, path: string): KeyObject {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text))
    throw tlsError(
      `${formatPart('key', path)} is encrypted, and nobody is there to give Dask its passphrase`,
      `write it without one: openssl pkey -in … -out …, then chmod 600`,
    )
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    throw tlsError(`${formatPart('key', path)} holds no private key`)
  try {
    return createPrivateKey(text)
  } catch (cause) {
    throw tlsError(`${formatPart('key', path)} is damaged (${reasonOf(cause)})`, undefined, cause)
  }
}

function checkPurpose({ keyUsage }: X509Certificate, path: string, use: TlsUse): void {
  // Node gives the extended key usage under this name; a certificate without one is good for everything.
  const uses = keyUsage as readonly string[] | undefined
  if (uses === undefined || uses.length === 0 || uses.includes(anyUse)) return
  const missing = [
    ...(use === 'both' && !uses.includes(serverAuth) ? ['servers'] : []),
    ...(uses.includes(clientAuth) ? [] : ['clients']),
  ]
  if (missing.length === 0) return
  const needs = use === 'both' ? ', and schedulers and workers are both servers and clients' : ''
  throw tlsError(
    `${formatPart('certificate', path)} is not made for TLS ${missing.join(' and ')}${needs}`,
    `make one with the extended key usage ${use === 'both' ? 'serverAuth and clientAuth' : 'clientAuth'}, or with none`,
  )
}

function hasSigned(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function checkDates({ validFrom, validTo }: X509Certificate, what: string, now: number): readonly string[] {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
  const clock = `the clock of this host says ${formatTime(now)}`
  if (now > to) throw tlsError(`${what} expired on ${formatTime(to)}`, `make a new one (${clock})`)
  if (now < from)
    throw tlsError(`${what} is valid from ${formatTime(from)} only`, `see whether the clocks are right: ${clock}`)
  if (to - now < soon) return [`${what} expires on ${formatTime(to)}: connections that are made later fail`]
  return []
}

function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** A distinguished name on one line: Node has a line for each part. */
function formatName(name: string): string {
  return JSON.stringify(name.split('\n').join(', '))
}
