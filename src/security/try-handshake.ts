import { Duplex } from 'node:stream'
import { connect, createServer } from 'node:tls'
import type { TlsMaterial } from '../util/tls-files.ts'
import { deadline } from '../util/wait.ts'

/** How long two ends within this process may take. In milliseconds. */
const patience = 5_000

/**
 * Has a server and a client of the same certificate shake hands within this process, as two parts of a cluster would:
 * OpenSSL then says what it has against them.
 *
 * @throws Error what the one or the other says
 */
export async function tryHandshake(texts: TlsMaterial): Promise<void> {
  const server = createServer({ ...texts, requestCert: true, rejectUnauthorized: false })
  const [near, far] = pipePair()
  const client = connect({ ...texts, socket: near, checkServerIdentity: () => undefined })
  try {
    const shaken = new Promise<void>((resolve, reject) => {
      server.once('tlsClientError', reject)
      client.once('error', reject)
      // With TLS 1.3 the client is through before the server has looked at its certificate.
      server.once('secureConnection', ({ authorized, authorizationError }) => {
        if (authorized) resolve()
        // A word such as INVALID_PURPOSE.
        else reject(new Error(String(authorizationError).toLowerCase().replaceAll('_', ' ')))
      })
    })
    server.emit('connection', far)
    await deadline(shaken, patience, () => new Error('no end of the handshake'))
  } finally {
    for (const end of [client, near, far]) end.on('error', () => undefined).destroy()
  }
}

/** Two ends, of which each reads what the other writes. */
function pipePair(): [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read: () => undefined,
      write: (chunk, _encoding, done) => {
        other().push(chunk)
        done()
      },
      final: (done) => {
        other().push(null)
        done()
      },
    })
  const one: Duplex = make(() => another)
  const another: Duplex = make(() => one)
  return [one, another]
}
