// tsyringe, which @peculiar/x509 uses, needs it.
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import type { TlsMaterial } from '../util/tls-files.ts'

/** What is made. */
export interface CertificateOptions {
  /** Common name of the authority; the certificate is named after it. */
  readonly name: string
  /** From when and until when both are valid, in milliseconds since 1970. */
  readonly from: number
  readonly to: number
  /** Extended key usage of the certificate, as object identifiers. @default those of TLS servers and clients */
  readonly uses?: readonly string[]
}

const [serverAuth, clientAuth] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const { subtle } = webcrypto

/**
 * Makes an authority, and a certificate with its key that the authority has signed. The authority's own key is
 * forgotten: it never signs another.
 *
 * The extensions are those without which Python 3.13 accepts no certificate.
 */
export async function makeCertificates({
  name,
  from,
  to,
  uses = [serverAuth, clientAuth],
}: CertificateOptions): Promise<TlsMaterial> {
  const [authority, own] = await Promise.all([newKeys(), newKeys()])
  const validity = { notBefore: new Date(from), notAfter: new Date(to), signingAlgorithm: algorithm }
  const subject = [{ CN: [name] }]
  const ca = await X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: subject,
    keys: authority,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(authority.publicKey),
    ],
  })
  const cert = await X509CertificateGenerator.create({
    ...validity,
    subject: [{ CN: [`${name} (a part of it)`] }],
    issuer: subject,
    publicKey: own.publicKey,
    signingKey: authority.privateKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([...uses]),
      await SubjectKeyIdentifierExtension.create(own.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  })
  return { ca: pemOf(ca), cert: pemOf(cert), key: await keyPem(own.privateKey) }
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

function pemOf(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const base64 = Buffer.from(await subtle.exportKey('pkcs8', key)).toString('base64')
  const lines = base64.match(/.{1,64}/g) ?? []
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n')
}
