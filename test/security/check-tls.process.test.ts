import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { checkTlsFiles } from '../../src/security/check-tls.ts'
import { whyNotOpened } from '../../src/util/read-pem.ts'
import { type CertificateOptions, makeCertificates } from '../../src/security/make-certificates.ts'
import { tryHandshake } from '../../src/security/try-handshake.ts'
import type { TlsMaterial } from '../../src/util/tls-files.ts'

const directory = mkdtempSync(join(tmpdir(), 'dask-hpc-runner-test-'))
afterAll(() => {
  rmSync(directory, { recursive: true })
})

const day = 86_400_000
const now = Date.now()
const valid = { name: 'the authority', from: now - day, to: now + 30 * day }
const good = await make()
const [clientOnly, serverOnly] = ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1']

async function make(changes: Partial<CertificateOptions> = {}): Promise<TlsMaterial> {
  return await makeCertificates({ ...valid, ...changes })
}

function write(name: string, text: string | Buffer, mode = 0o600): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

async function check(texts: Partial<TlsMaterial>, use: 'both' | 'client' = 'both'): Promise<readonly string[]> {
  const all = { ...good, ...texts }
  const files = {
    caFile: write('ca.pem', all.ca),
    cert: write('cert.pem', all.cert),
    key: write('key.pem', all.key),
  }
  return await checkTlsFiles(files, { use, now })
}

async function refusal(doing: Promise<unknown>): Promise<string> {
  const error = await doing.then(
    () => 'it was accepted',
    (thrown: unknown) => thrown,
  )
  expect(error).toMatchObject({ code: 'ERR_ENVIRONMENT' })
  return (error as Error).message.replaceAll(directory, '')
}

describe('certificate, key and authority', () => {
  it('that go together are accepted without a word, in three files or in two', async () => {
    expect(await check({})).toEqual([])
    const both = write('both.pem', good.cert + good.key)
    expect(await checkTlsFiles({ caFile: write('ca.pem', good.ca), cert: both }, { use: 'both', now })).toEqual([])
  })

  it('are accepted from a bundle of several authorities', async () => {
    const other = await make({ name: 'another' })
    expect(await check({ ca: `# a comment\n${other.ca}\n${good.ca}` })).toEqual([])
  })

  it('of a client are good enough for a client only', async () => {
    const client = await make({ uses: [clientOnly] })
    expect(await check(client, 'client')).toEqual([])
    expect(await refusal(check(client))).toBe(
      'Cannot use TLS: the certificate "/cert.pem" is not made for TLS servers, and schedulers and workers are both ' +
        'servers and clients; make one with the extended key usage serverAuth and clientAuth, or with none',
    )
    expect(await refusal(check(await make({ uses: [serverOnly] }), 'client'))).toBe(
      'Cannot use TLS: the certificate "/cert.pem" is not made for TLS clients; make one with the extended key usage clientAuth, or with none',
    )
  })

  it('that expire within a day are accepted with a warning', async () => {
    expect(await check(await make({ to: now + 3_600_000 }))).toEqual([
      expect.stringMatching(
        /^the certificate ".*cert\.pem" expires on \d{4}.* UTC: connections that are made later fail$/,
      ),
      expect.stringMatching(/^the authority ".*ca\.pem" expires on/),
    ])
  })

  it('with a key that others can read are accepted with a warning', async () => {
    const files = {
      caFile: write('ca.pem', good.ca),
      cert: write('cert.pem', good.cert),
      key: write('open.pem', good.key, 0o640),
    }
    expect(await checkTlsFiles(files, { use: 'both', now })).toEqual([
      `the key "${files.key}" can be read by others; chmod 600 keeps it yours`,
    ])
  })

  it.each<[what: string, texts: () => Promise<Partial<TlsMaterial>>, message: RegExp]>([
    [
      'that has expired',
      async () => await make({ from: now - 9 * day, to: now - day }),
      /certificate "\/cert\.pem" expired on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC; make a new one \(the clock of this host says .* UTC\)$/,
    ],
    [
      'that is not valid yet',
      async () => await make({ from: now + 60_000 }),
      /certificate "\/cert\.pem" is valid from .* UTC only; see whether the clocks are right: the clock of this host says .* UTC$/,
    ],
    [
      'of another authority',
      async () => ({ ca: (await make({ name: 'another' })).ca }),
      /certificate "\/cert\.pem" is not signed by the authority "\/ca\.pem": it was issued by "CN=the authority", and the authority is "CN=another"; name the authority that/,
    ],
    [
      'of another authority with the same name',
      async () => ({ ca: (await make()).ca }),
      /is not signed by the authority "\/ca\.pem": it was issued by "CN=the authority", and the authority is "CN=the authority"/,
    ],
    [
      'with the key of another',
      async () => ({ key: (await make()).key }),
      /the key "\/key\.pem" does not belong to the certificate "\/cert\.pem"; name the two that were made together$/,
    ],
    [
      'with a key that is encrypted',
      async () => await Promise.resolve({ key: encryptedKey('pkcs8') }),
      /the key "\/key\.pem" is encrypted, and nobody is there to give Dask its passphrase; write it without one: openssl pkey/,
    ],
    [
      'with a key that is encrypted as of old',
      async () => await Promise.resolve({ key: encryptedKey('sec1') }),
      /the key "\/key\.pem" is encrypted/,
    ],
    [
      'whose file is empty',
      async () => await Promise.resolve({ cert: ' \n' }),
      /the certificate "\/cert\.pem" is empty$/,
    ],
    ['whose authority is empty', async () => await Promise.resolve({ ca: '' }), /the authority "\/ca\.pem" is empty$/],
    [
      'that is a text',
      async () => await Promise.resolve({ ca: 'to be asked from Ann' }),
      /the authority "\/ca\.pem" is not PEM$/,
    ],
    [
      'whose file holds a key',
      async () => await Promise.resolve({ cert: good.key }),
      /the certificate "\/cert\.pem" holds no certificate, but "PRIVATE KEY"$/,
    ],
    [
      'whose key is a certificate',
      async () => await Promise.resolve({ key: good.cert }),
      /the key "\/key\.pem" holds no private key$/,
    ],
    [
      'that is damaged',
      async () => await Promise.resolve({ cert: good.cert.replace(/\n[^\n]{64}\n/, '\n') }),
      /the certificate "\/cert\.pem" is damaged \([^\n]*\)$/,
    ],
    [
      'whose key is damaged',
      async () => await Promise.resolve({ key: good.key.replace(/\n[^\n]{64}\n/, '\n') }),
      /the key "\/key\.pem" is damaged \([^\n]*\)$/,
    ],
  ])('%s: refused, with the file and what is wrong', async (_, texts, message) => {
    const said = await refusal(check(await texts()))
    expect(said).toMatch(message)
    expect(said).toMatch(/^Cannot use TLS: the [^\n]*$/)
  })

  it('that is DER is refused, with how to convert it', async () => {
    const der = Buffer.from(good.cert.replaceAll(/-----.*-----|\n/g, ''), 'base64')
    const cert = write('cert.der', der)
    expect(await refusal(checkTlsFiles({ caFile: write('ca.pem', good.ca), cert }, { use: 'both', now }))).toMatch(
      /the certificate "\/cert\.der" is not PEM; it looks like DER, which "openssl x509 -inform DER/,
    )
  })

  it('in a chain that does not lead to the authority are refused with what OpenSSL says', async () => {
    const other = await make({ name: 'another' })
    expect(await refusal(check({ cert: good.cert + other.cert, ca: other.ca }))).toMatch(
      /the certificate "\/cert\.pem" is not accepted with the authority "\/ca\.pem" \(unable to verify/,
    )
  })
})

describe('a handshake within this process', () => {
  it('is the judge of both ends', async () => {
    await tryHandshake(good)
    await expect(tryHandshake(await make({ uses: [clientOnly] }))).rejects.toThrow(/purpose/)
    await expect(tryHandshake(await make({ uses: [serverOnly] }))).rejects.toThrow(/purpose/)
    await expect(tryHandshake({ ...good, ca: (await make()).ca })).rejects.toThrow(/certificate|signature/)
  })
})

describe('a file', () => {
  const caFile = write('the-ca.pem', good.ca)
  const withKey = async (key: string): Promise<string> =>
    await refusal(checkTlsFiles({ caFile, cert: write('the-cert.pem', good.cert), key }, { use: 'both', now }))

  it('that is missing is named', async () => {
    expect(await withKey('/no/such.key')).toBe('Cannot use TLS: there is no file "/no/such.key" for the key')
  })

  it('that is a directory, a named pipe or a device is refused at once', async () => {
    mkdirSync(join(directory, 'd'))
    expect(await withKey(join(directory, 'd'))).toBe('Cannot use TLS: the key "/d" is a directory')
    execFileSync('mkfifo', [join(directory, 'pipe')])
    expect(await withKey(join(directory, 'pipe'))).toBe('Cannot use TLS: the key "/pipe" is not a regular file')
    expect(await withKey('/dev/null')).toBe('Cannot use TLS: the key "/dev/null" is not a regular file')
  })

  it('with a line end in its name is refused', async () => {
    expect(await withKey('/x\ny')).toBe(
      'Cannot use TLS: the key "/x\\u000ay" has a control character in its name; rename it',
    )
  })

  it('that is not ours to read is named', () => {
    const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    expect(whyNotOpened(denied, '/x/key.pem', 'key').message).toBe(
      'Cannot use TLS: reading the key "/x/key.pem" is not permitted; make it readable for you, on every node',
    )
  })
})

function encryptedKey(type: 'pkcs8' | 'sec1'): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }) as string
}
