import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { encodeMessage } from '../../src/dask/codec.ts'
import { DaskConnection } from '../../src/dask/connection.ts'
import { DaskError, type DaskErrorReason } from '../../src/dask/errors.ts'
import { SchedulerClient } from '../../src/dask/scheduler-client.ts'
import { handshake, speakDask, startFakeScheduler, startPeer } from './support/peer.ts'
import { temporaryDirectory } from '../process/support/processes.ts'
import { canHang, HangingMount } from '../support/hanging-mount.ts'
import { until } from '../support/until.ts'

/** Milliseconds that a silent peer gets, and one that answers or refuses; and that may pass beyond them on a busy machine. */
const [timeout, ample] = [400, 60_000]
const more = 10_000

/** How long a peer gets that is to fail for that reason. */
function timeFor(reason: DaskErrorReason): number {
  return reason === 'silent' ? timeout : ample
}

/** Checks that it fails within the time, with `reason` and the peer's address. */
async function expectFailure(
  doing: Promise<unknown>,
  { address, reason, why }: { address: string; reason: DaskErrorReason; why: RegExp },
): Promise<DaskError> {
  const begin = performance.now()
  const error = await doing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(DaskError)
  expect(performance.now() - begin).toBeLessThan((reason === 'silent' ? timeout : 0) + more)
  const failure = error as DaskError
  expect(failure.message).toMatch(why)
  expect(failure.message).toContain(address)
  expect(failure).toMatchObject({ reason, address })
  return failure
}

const u64 = (...numbers: bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(numbers).buffer)
const half = handshake.subarray(0, 40)

test.for<readonly [string, string | Uint8Array, 'end' | 'stay', DaskErrorReason, RegExp]>([
  ['sends nothing', '', 'stay', 'silent', /says nothing \(busy, or frozen, or not Dask\) within 400 ms/],
  ['closes at once', '', 'end', 'not-dask', /closes the connection where Dask would shake hands/],
  ['sends half a frame', half, 'stay', 'silent', /begins to answer and does not go on within 400 ms/],
  ['sends half a frame and closes', half, 'end', 'not-dask', /does not speak Dask's protocol/],
  ['sends a single byte', 'S', 'stay', 'silent', /begins to answer/],
  ['claims 2^63 bytes', u64(2n ** 63n), 'stay', 'not-dask', /does not speak Dask's protocol/],
  ['claims 2^63 frames', u64(8n, 2n ** 63n), 'stay', 'not-dask', /does not speak Dask's protocol/],
  ['claims a frame of 2^63 bytes', u64(8n, 1n, 2n ** 63n), 'stay', 'not-dask', /does not speak Dask's protocol/],
  ['claims a handshake of 10 MB', u64(8n, 1n, 10_000_000n), 'stay', 'not-dask', /does not speak Dask's protocol/],
  ['sends garbage', 'garbage of any kind\r\n', 'stay', 'not-dask', /it begins with "garbage of any kind\."/],
  ['is an SSH server', 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', 'stay', 'not-dask', /an SSH server answers there/],
  ['sends another handshake', encodeMessage({ hello: 'world' }), 'stay', 'not-dask', /does not speak Dask's protocol/],
  ['sends a handshake that is no map', encodeMessage(7), 'stay', 'not-dask', /does not speak Dask's protocol/],
])('refuses a peer that %s', async ([, says, then, reason, why]) => {
  const peer = await startPeer((socket) => {
    if (says !== '') socket.write(says)
    if (then === 'end') socket.end()
  })
  const address = `tcp://${peer.place}`
  await expectFailure(DaskConnection.open(address, { timeout: timeFor(reason) }), { address, reason, why })
  await expectNoneLeft(peer)
})

test('refuses a web server, and says that the dashboard is another port', async () => {
  const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
  const why = /a web server answers there; Dask has another port/
  await expectFailure(DaskConnection.open(address, { timeout: ample }), { address, reason: 'not-dask', why })
})

test.for(['HTTP/1.1 400 Bad Request\r\n\r\n', '<!DOCTYPE HTML>\n'])(
  'is no request to a web server that waits for one, which answers %j',
  async (answer) => {
    const peer = await startPeer((socket) => {
      let heard = ''
      socket.setEncoding('latin1').on('data', (text: string) => {
        heard += text
        if (/\r?\n\r?\n/.test(heard)) socket.end(answer)
      })
    })
    const address = `tcp://${peer.place}`
    const why = /a web server answers there; Dask has another port/
    await expectFailure(DaskConnection.open(address, { timeout: ample }), { address, reason: 'not-dask', why })
  },
)

test('says that nothing listens, that a name is unknown, that no answer comes', async () => {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  for (const host of ['127.0.0.1', 'localhost']) {
    const address = `tcp://${host}:${port}`
    const why = /Cannot connect to the Dask peer at tcp:\S+: nothing listens there$/
    await expectFailure(DaskConnection.open(address, { timeout: ample }), { address, reason: 'refused', why })
  }
  const address = `tcp://no-such-host.invalid:${port}`
  const why = /(ENOTFOUND|EAI_AGAIN|no answer within)/
  await expectFailure(DaskConnection.open(address, { timeout }), { address, reason: 'unreachable', why })
})

test('refuses tls:// without certificates, and what is no address', async () => {
  const address = 'tls://127.0.0.1:1'
  await expectFailure(DaskConnection.open(address), { address, reason: 'tls', why: /TLS needs a certificate/ })
  await expect(DaskConnection.open('127.0.0.1')).rejects.toThrow(RangeError)
})

test.skipIf(!canHang)('waits for no filesystem that hangs with the files for TLS', async () => {
  const directory = temporaryDirectory()
  const mounted = join(directory, 'mounted')
  await using mount = await HangingMount.of(join(directory, 'source'), mounted)
  mount.hang()
  const tls = { caFile: join(mounted, 'ca.pem'), cert: join(mounted, 'cert.pem') }
  await expect(DaskConnection.open('tls://127.0.0.1:1', { tls, timeout })).rejects.toMatchObject({
    code: 'ERR_ENVIRONMENT',
    message: expect.stringMatching(/^Cannot use TLS: the filesystem of the .* has not answered for 10 s$/) as string,
  })
})

test('speaks to a peer at an IPv6 address, in small pieces', async () => {
  const peer = await startPeer(
    (socket) => {
      speakDask(socket, (call, send) => {
        send({ [`tcp://[::1]:${1 + call.op.length}`]: 2 })
      })
      const write = socket.write.bind(socket)
      socket.write = (bytes: Uint8Array) => [...bytes].every((byte) => write(Uint8Array.of(byte)))
    },
    { host: '::1' },
  )
  using client = await SchedulerClient.connect(`tcp://${peer.place}`)
  expect(peer.place).toMatch(/^\[::1\]:\d+$/)
  expect([...(await client.runningWorkers())]).toEqual([['tcp://[::1]:15', 2]])
})

test.for<readonly [string, Uint8Array | undefined, DaskErrorReason, RegExp]>([
  ['closes', undefined, 'closed', /Cannot go on with the Dask peer at \S+: it closed the connection/],
  [
    'sends half an answer',
    encodeMessage({ a: 1 }).subarray(0, 20),
    'silent',
    /does not answer "ncores_running" within/,
  ],
  ['claims 2^63 bytes', u64(2n ** 63n), 'not-dask', /it sent a message length of 9223372036854775808, more than/],
  ['sends what is no msgpack', u64(17n, 1n, 1n, 0xc1n).subarray(0, 25), 'not-dask', /it sent the byte 0xc1/],
  ['does not know the call', encodeMessage(null), 'not-dask', /does not know this call/],
  ['gives another answer', encodeMessage({ a: 'b' }), 'not-dask', /its "a" has another form than Dask's/],
])('tells of a peer that %s during a call', async ([, says, reason, why]) => {
  const peer = await startPeer((socket) => {
    speakDask(socket, () => {
      if (says === undefined) socket.destroy()
      else socket.write(says)
    })
  })
  const address = `tcp://${peer.place}`
  using client = await SchedulerClient.connect(address)
  await expectFailure(client.runningWorkers({ timeout: timeFor(reason) }), { address, reason, why })
  if (/another form|know this/.test(why.source)) return
  // It is not used again.
  await expectFailure(client.runningWorkers({ timeout: timeFor(reason) }), { address, reason, why: /Cannot/ }).catch(
    (error: unknown) => {
      if (reason !== 'silent') throw error
    },
  )
  await expectNoneLeft(peer)
})

test("gives Dask's own text of an exception, and goes on", async () => {
  const peer = await startFakeScheduler(({ op }) =>
    op === 'identity'
      ? { status: 'uncaught-error', exception_text: "KeyError('x')", traceback_text: 'a traceback' }
      : { 'tcp://127.0.0.1:1': 1 },
  )
  const address = `tcp://${peer.place}`
  using client = await SchedulerClient.connect(address)
  const why = /Cannot identity at tcp:\S+: it answers KeyError\('x'\)$/
  await expectFailure(client.identity(), { address, reason: 'call-failed', why })
  expect((await client.runningWorkers()).size).toBe(1)
})

test('lets a peer wait that sends what nobody reads', async () => {
  let sent = 0
  const message = encodeMessage({ op: 'x'.repeat(1000) })
  const peer = await startPeer((socket) => {
    socket.write(handshake)
    const flood = (): void => {
      do sent += 1
      while (socket.write(message))
    }
    socket.on('drain', flood)
    flood()
  })
  using _connection = await DaskConnection.open(`tcp://${peer.place}`, { timeout: ample })
  let [before, same] = [-1, 0]
  await until(
    () => {
      same = sent === before ? same + 1 : 0
      before = sent
      return same
    },
    (count) => count >= 10,
    { what: 'the flood has stopped', say: () => `${sent} messages` },
  )
  // What the kernel's buffers hold of it: some megabytes.
  expect(sent * message.length).toBeLessThan(32 * 1024 * 1024)
})

test('gives up on a peer that accepts and never reads', async () => {
  const peer = await startPeer((socket) => {
    socket.write(handshake)
    socket.pause()
  })
  const address = `tcp://${peer.place}`
  using client = await SchedulerClient.connect(address, { timeout: ample })
  const call = client.setMetadata('key', 'x'.repeat(16_000_000), { timeout })
  await expectFailure(call, { address, reason: 'silent', why: /does not answer "set_metadata" within 400 ms/ })
})

test('keeps the deadline of a call that waits for its turn, and does not make it', async () => {
  const seen: string[] = []
  const late: (() => void)[] = []
  const peer = await startPeer((socket) => {
    speakDask(socket, ({ op }, send) => {
      seen.push(op)
      if (op === 'identity')
        late.push(() => {
          send({ late: true })
        })
      else send({})
    })
  })
  const address = `tcp://${peer.place}`
  using connection = await DaskConnection.open(address)
  const gone = new AbortController()
  const first = connection.request('identity')
  const second = connection.request('second', {}, { timeout: 100 })
  const third = connection.request('third', {}, { signal: gone.signal })
  const fourth = connection.request('fourth')
  const aborted = expect(third).rejects.toThrow('gone')
  gone.abort(new Error('gone'))
  await aborted
  await expectFailure(second, { address, reason: 'silent', why: /does not answer "second" within 100 ms/ })
  for (const answer of late) answer()
  expect(await first).toEqual({ late: true })
  expect(await fourth).toEqual({})
  expect(seen).toEqual(['identity', 'fourth'])
})

test('ends all that waits with the reason of a signal', async () => {
  const peer = await startFakeScheduler(() => undefined)
  const silent = await startPeer(() => undefined)
  const begin = performance.now()
  const reason = new Error('the reason')
  const abort = async (act: (signal: AbortSignal) => Promise<unknown>): Promise<void> => {
    await expect(act(AbortSignal.abort(reason))).rejects.toBe(reason)
    const controller = new AbortController()
    const outcome = expect(act(controller.signal)).rejects.toBe(reason)
    setTimeout(() => {
      controller.abort(reason)
    }, 20)
    await outcome
  }
  const connect = async (): Promise<SchedulerClient> => await SchedulerClient.connect(`tcp://${peer.place}`)
  await abort(async (signal) => await SchedulerClient.connect(`tcp://${silent.place}`, { signal }))
  await abort(async (signal) => (await connect()).identity({ signal }))
  await abort(async (signal) => (await connect()).terminate({ signal }))
  await abort(async (signal) => (await connect()).waitForWorkers(1, { timeout: 60_000, signal }))
  expect(performance.now() - begin).toBeLessThan(10_000)
  await expectNoneLeft(silent)
})

test('tells of a scheduler that does not end, even if it goes on talking', async () => {
  const peer = await startPeer((socket) => {
    speakDask(socket, (_, send) => {
      const chatter = setInterval(send, 10, { still: 'here' })
      socket.on('close', () => {
        clearInterval(chatter)
      })
    })
  })
  const address = `tcp://${peer.place}`
  using client = await SchedulerClient.connect(address)
  const why = /keeps the connection open for 400 ms: busy, or frozen/
  await expectFailure(client.terminate({ timeout }), { address, reason: 'silent', why })
})

test('takes a wait of a month for one, and not for a millisecond', async () => {
  const peer = await startPeer((socket) => {
    speakDask(socket, (_, send) => setTimeout(send, 50, { a: 1 }))
  })
  const month = 31 * 24 * 3_600_000
  using connection = await DaskConnection.open(`tcp://${peer.place}`, { timeout: month })
  expect(await connection.request('x', {}, { timeout: month })).toEqual({ a: 1 })
})

async function expectNoneLeft({ sockets }: { sockets: ReadonlySet<unknown> }): Promise<void> {
  await until(
    () => sockets.size,
    (size) => size === 0,
    { what: 'our side has closed', say: (size) => `${size} connections`, patience: 5000 },
  )
}
