import { expect, test } from 'vitest'
import { formatError, whyNotConnected } from '../../src/dask/why-failed.ts'

const nothing = new Uint8Array()
const failure = (message: string, properties: object): Error => Object.assign(new Error(message), properties)

test.for([
  ['ECONNREFUSED', false, 'refused', 'nothing listens there'],
  ['ECONNREFUSED', true, 'refused', 'nothing listens there'],
  ['EHOSTUNREACH', false, 'unreachable', 'the message'],
  ['ETIMEDOUT', true, 'unreachable', 'the message'],
  [
    'ECONNRESET',
    false,
    'not-dask',
    'it closes the connection where Dask would shake hands: not Dask, or one that wants tls://',
  ],
  ['ECONNRESET', true, 'tls', 'it breaks off TLS: it may not accept our certificate'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', true, 'tls', 'it does not speak TLS; write the address as tcp://'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', true, 'tls', 'it does not accept our certificate (the reason)'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', true, 'tls', 'it does not accept our certificate (the reason)'],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', true, 'tls', 'it does not accept our certificate (the reason)'],
  ['ERR_SSL_NO_SHARED_CIPHER', true, 'tls', 'TLS was not agreed on (the reason)'],
  ['SELF_SIGNED_CERT_IN_CHAIN', true, 'tls', 'its certificate is not accepted (the reason)'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', true, 'tls', 'its certificate is not accepted (the reason)'],
] as const)('%s with TLS %s is %s: %s', ([code, tls, reason, why]) => {
  const error = failure('the message', { code, ...(tls && code !== 'ETIMEDOUT' && { reason: 'the reason' }) })
  expect(whyNotConnected(error, { tls, heard: nothing })).toEqual([reason, why])
})

test('a name with several addresses fails for the reason of the first', () => {
  expect(formatError(new AggregateError([new Error('first'), new Error('second')]))).toBe('first')
})
