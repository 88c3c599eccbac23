import { expect, test } from 'vitest'
import { Authority } from '../support/certificates.ts'
import { Cluster, python } from '../support/cluster.ts'
import { compile } from '../support/library-program.ts'

test('a client takes the certificates of its runner or its own, and says what is wrong with them', async () => {
  await using cluster = await Cluster.make()
  const { caFile, cert, key } = new Authority(cluster.path('certificates')).sign('mine')
  const strange = new Authority(cluster.path('strange'), 'strange').sign('stranger')
  const program = await compile(cluster, 'client-tls')
  const run = cluster.start([process.execPath, program, caFile, cert, key, strange.caFile, python])
  await run.expectStatus(0)
  const [protocol, ...attempts] = run.stdout.trimEnd().split('\n')
  expect(protocol).toBe('tls')
  const cannot = String.raw`Cannot connect to the scheduler at tls://\S+: .*`
  const expected = [
    'runner: right',
    'python: right',
    'files: right',
    `none: ${cannot}; name tlsCaFile, tlsCert and tlsKey, unless Dask's own configuration has them`,
    'half: Cannot use TLS with a part of its files: name both tlsCaFile and tlsCert',
    'missing: Cannot use TLS: there is no file "/no/such.key" for the key',
    'strange: Cannot use TLS: the certificate ".*" is not signed by the authority ".*strange.crt": .*',
  ]
  expect(attempts).toEqual(expected.map((line) => expect.stringMatching(`^${line}$`) as string))
  cluster.expectFile('certificates')
  cluster.expectFile('strange')
  await cluster.expectNothingLeft()
})
