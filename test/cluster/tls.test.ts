import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeCertificates } from '../../src/security/make-certificates.ts'
import { Authority, type Certificate } from '../support/certificates.ts'
import { Cluster, programs } from '../support/cluster.ts'
import { pythons } from '../support/pythons.ts'
import { fourTasks } from '../support/step.ts'

const plain = join(programs, 'clients.py')
const flags = ({ caFile, cert, key }: Certificate): string[] => [
  ...['--protocol', 'tls', '--tls-ca-file', caFile, '--tls-cert', cert, '--tls-key', key],
]
const local = ['local', '-n', '3', '--nthreads', '1']

describe.for(pythons())('with %s', ([, python]) => {
  test.skipIf(python === undefined)(
    'workers that are refused for their certificate end the wait for them, with the cause',
    async () => {
      await using cluster = await Cluster.make()
      const directory = join(cluster.directory, 'certificates')
      const [mine, other] = [new Authority(directory).sign('mine'), new Authority(directory, 'other').sign('stranger')]
      const args = ['--python', python ?? '', '--wait-workers', 'all', '--', 'false']
      const runs = fourTasks().map((task, rank) =>
        cluster.run(['run', ...flags(rank === 3 ? other : mine), ...args], task),
      )
      const why =
        /error: Cannot use the scheduler at tls:\S+ from node3: .*certificate.*; give all nodes certificates of the same authority/
      for (const run of runs) await run.expectStatus(78)
      expect(runs.flatMap((run) => run.errors())).toEqual([expect.stringMatching(why)])
      // Dask by itself says so some 40 times a second.
      const said = runs.flatMap(({ stderr }) => stderr.match(/handshake failed|Waiting to connect/g) ?? [])
      expect(said.length, runs.map(({ output }) => output).join('\n')).toBeLessThan(5)
      await cluster.expectNothingLeft()
    },
  )

  test.skipIf(python === undefined)('a connection that breaks leaves the others of its process alone', async () => {
    await using cluster = await Cluster.make()
    const { ca, cert, key } = await makeCertificates({
      name: 'run',
      from: Date.now() - 60_000,
      to: Date.now() + 60_000,
    })
    const files = { ca, cert, key }
    for (const [name, text] of Object.entries(files)) await writeFile(join(cluster.directory, name), text)
    const paths = Object.keys(files).map((name) => join(cluster.directory, name))
    const mended = join(import.meta.dirname, '../../src/python/tls.py')
    const run = cluster.start([python ?? '', join(programs, 'broken_tls.py'), mended, ...paths])
    await run.expectStatus(0)
    expect(run.stdout).toBe("before SSLWantReadError\nbroken True\nafter SSLWantReadError\nthen b'heard'\n")
  })

  test.skipIf(python === undefined)(
    'the program of a run with certificates needs to know nothing of them',
    async () => {
      await using cluster = await Cluster.make()
      const mine = new Authority(join(cluster.directory, 'certificates')).sign('mine')
      const run = cluster.run([
        ...local,
        '--python',
        python ?? '',
        '--nanny',
        ...flags(mine),
        '--',
        python ?? '',
        plain,
      ])
      await run.expectStatus(0)
      // Client(), one by the file, one by the address; one that a task makes, and a cluster of the program's own.
      expect(run.stdout).toBe('plain tls 6\nfile tls 6\naddress tls 6\ntask tls 6\nown cluster tls 6\n')
      // Of the program's own cluster.
      cluster.expectTemporary('dask-scratch-space')
      await cluster.expectNothingLeft()
    },
  )
})

test('a run with the variables of a Dask client alone has what its scheduler and workers need', async () => {
  await using cluster = await Cluster.make()
  const { caFile, cert, key } = new Authority(join(cluster.directory, 'certificates')).sign('mine')
  const env = {
    DASK_DISTRIBUTED__COMM__TLS__CA_FILE: caFile,
    DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT: cert,
    DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY: key,
  }
  const run = cluster.run([...local, '--protocol', 'tls', '--', 'python3', plain], env)
  await run.expectStatus(0)
  expect(run.stdout).toMatch(/^plain tls 6\n/)
  await cluster.expectNothingLeft()
})

test('a certificate that no run could use ends it before anything starts, with 78 and a sentence; so says doctor', async () => {
  await using cluster = await Cluster.make()
  const directory = join(cluster.directory, 'certificates')
  const mine = new Authority(directory).sign('mine')
  const other = new Authority(directory, 'other').sign('stranger')
  // Everything that can be wrong with them: test/security/check-tls.process.test.ts.
  const wrong: [what: RegExp, certificate: Certificate][] = [
    [/the key ".*" does not belong to the certificate/, { ...mine, key: other.key }],
    [/there is no file ".*" for the authority/, { ...mine, caFile: '/no/such.pem' }],
  ]
  for (const [why, certificate] of wrong) {
    const run = cluster.run(['local', '-n', '1', '--python', 'false', ...flags(certificate), '--', 'false'])
    await run.expectStatus(78)
    expect(run.stderr).toMatch(new RegExp(`error: Cannot use TLS: .*${why.source}`))
  }
  const without = cluster.run(['local', '-n', '1', '--protocol', 'wss', '--', 'false'])
  await without.expectStatus(78)
  expect(without.stderr).toMatch(
    /error: Cannot use TLS: neither options nor .* certificates for the scheduler; name them in/,
  )
  expect(without.stderr).not.toContain('Traceback')
  const doctor = cluster.run(['doctor', ...flags({ ...mine, key: other.key })])
  await doctor.expectStatus(78)
  expect(doctor.stdout).toMatch(/problem +tls +Cannot use TLS: the key ".*" does not belong to the certificate/)
  await cluster.expectNothingLeft()
})
