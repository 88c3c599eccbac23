import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DaskConnection } from '../../src/dask/connection.ts'
import { DaskError } from '../../src/dask/errors.ts'
import { SchedulerClient } from '../../src/dask/scheduler-client.ts'
import { RunnerError } from '../../src/errors.ts'
import { startPeer } from '../dask/support/peer.ts'
import { Authority, type Certificate } from '../support/certificates.ts'
import { Cluster } from '../support/cluster.ts'
import { startDaskScheduler } from '../support/dask.ts'
import { pythons } from '../support/pythons.ts'

const timeout = 5000

describe.for(pythons())('with %s', ([, command]) => {
  test.skipIf(command === undefined)(
    'speaks TLS with a scheduler, and says what is wrong where it cannot',
    async () => {
      await using cluster = await Cluster.make()
      const authority = new Authority(cluster.path('certificates'))
      const [server, mine] = [authority.sign('server'), authority.sign('mine')]
      const strange = new Authority(cluster.path('strange'), 'strange')
      const stranger = strange.sign('stranger')
      const file = cluster.path('scheduler.json')
      const files = ['--tls-ca-file', server.caFile, '--tls-cert', server.cert, '--tls-key', server.key]
      const args = ['--protocol', 'tls', ...files]
      const scheduler = await startDaskScheduler(cluster, file, { python: command ?? '', args })
      const { address } = JSON.parse(await readFile(file, 'utf8')) as { address: string }
      expect(address).toMatch(/^tls:/)
      const withFiles = async (tls: Certificate): Promise<SchedulerClient> =>
        await SchedulerClient.connect(address, { tls, timeout })

      using client = await withFiles(mine)
      expect((await client.identity()).address).toBe(address)
      // Certificate and key may lie in one file.
      const both = authority.write('both.pem', (await readFile(mine.cert, 'utf8')) + (await readFile(mine.key, 'utf8')))
      using another = await SchedulerClient.connect(address, { tls: { caFile: mine.caFile, cert: both } })
      expect((await another.runningWorkers()).size).toBe(0)

      // A certificate that the scheduler does not accept; an authority that did not sign the scheduler's.
      await expectReason(
        withFiles({ ...stranger, caFile: mine.caFile }),
        address,
        'tls',
        /it does not accept our certificate/,
      )
      await expectReason(
        withFiles({ ...mine, caFile: stranger.caFile }),
        address,
        'tls',
        /: its certificate is not accepted \(self-signed/,
      )
      await expectReason(SchedulerClient.connect(address), address, 'tls')
      // Without TLS.
      const plain = address.replace('tls:', 'tcp:')
      await expectReason(SchedulerClient.connect(plain, { timeout }), plain, 'not-dask', /TLS|tls:/)

      const garbage = authority.write('garbage.pem', 'garbage')
      for (const wrong of [
        { ...mine, cert: join(cluster.work, 'missing.pem') },
        { ...mine, cert: garbage },
        { ...mine, key: garbage },
        { ...mine, key: server.key },
      ])
        await expect(withFiles(wrong)).rejects.toSatisfy(
          (error) =>
            error instanceof RunnerError &&
            error.code === 'ERR_ENVIRONMENT' &&
            error.message.startsWith('Cannot use TLS: '),
        )
      await client.terminate()
      await scheduler.expectStatus(0)
      cluster.expectFile('certificates')
      cluster.expectFile('strange')
      await cluster.expectNothingLeft()
    },
  )

  test.skipIf(command === undefined)('says that a scheduler does not speak TLS', async () => {
    await using cluster = await Cluster.make()
    const tls = new Authority(cluster.path('certificates')).sign('mine')
    const file = cluster.path('scheduler.json')
    const scheduler = await startDaskScheduler(cluster, file, { python: command ?? '' })
    const { address } = JSON.parse(await readFile(file, 'utf8')) as { address: string }
    const secure = address.replace('tcp:', 'tls:')
    const why = /it does not speak TLS; write the address as tcp:/
    await expectReason(SchedulerClient.connect(secure, { tls, timeout }), secure, 'tls', why)
    scheduler.signal('SIGTERM')
    await scheduler.ended
    cluster.expectFile('certificates')
    await cluster.expectNothingLeft()
  })
})

test('a peer that never shakes the hands of TLS is silent; one that closes does not speak it', async () => {
  await using cluster = await Cluster.make()
  const tls = new Authority(cluster.path('certificates')).sign('mine')
  const silent = await startPeer(() => undefined)
  const closing = await startPeer((socket) => socket.end())
  const web = await startPeer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
  for (const [peer, reason] of [
    [silent, 'silent'],
    [closing, 'tls'],
    [web, 'tls'],
  ] as const) {
    const address = `tls://${peer.place}`
    await expectReason(DaskConnection.open(address, { tls, timeout: 500 }), address, reason)
  }
  const server = await startPeer(() => undefined, {
    tls: { cert: await readFile(tls.cert), key: await readFile(tls.key) },
  })
  // Node's TLS says nothing to one who does not begin with it: it closes, or alerts.
  await expectReason(
    DaskConnection.open(`tcp://${server.place}`, { timeout: 500 }),
    `tcp://${server.place}`,
    'not-dask',
  )
  cluster.expectFile('certificates')
  await cluster.expectNothingLeft()
})

async function expectReason(doing: Promise<unknown>, address: string, reason: string, why = /./): Promise<void> {
  const begin = performance.now()
  const error = await doing.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(DaskError)
  expect(error).toMatchObject({ reason, address, message: expect.stringMatching(why) as string })
  expect((error as DaskError).message).toContain(address)
  // One line, without the library names and source files of OpenSSL.
  expect((error as DaskError).message).not.toMatch(/\n|routines|\.c:/)
  expect(performance.now() - begin).toBeLessThan(timeout + 2000)
}
