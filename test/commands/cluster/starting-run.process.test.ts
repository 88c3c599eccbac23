import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { stopCluster } from '../../../src/commands/stop.ts'
import { waitForCluster } from '../../../src/commands/wait.ts'
import type { ControlServer, MemberChannel } from '../../../src/control/server.ts'
import type { ClusterRecord } from '../../../src/record/cluster-record.ts'
import type { FileStore } from '../../../src/rendezvous/file/file-store.ts'
import { recordOf, startServer } from '../../control/support.ts'
import { closedPort } from '../../support/connections.ts'
import { temporaryDirectory } from '../../rendezvous/file/support/directory.ts'
import { Cluster } from '../../support/cluster.ts'
import { slurmEnvironment } from '../../support/environment.ts'
import { failureOf, fileOf, storeOf } from '../../rendezvous/file/support/run.ts'
import { patient } from '../../support/until.ts'

/** Far longer than a wait needs to hear of an end. In milliseconds. */
const long = 50_000

/** Waits for the cluster of F.json in `directory`; resolves to the error. */
async function waiting(directory: string, timeout = long, onProgress = (): void => undefined): Promise<unknown> {
  const wait = waitForCluster({
    target: { path: join(directory, 'F.json') },
    workers: 1,
    timeout,
    signal: new AbortController().signal,
    onProgress,
  })
  return await wait.then(
    () => expect.fail('there is no cluster'),
    (error: unknown) => error,
  )
}

/** A run that is about to start a cluster, whose rank 0 is this process. */
class Starting {
  readonly directory: string
  readonly visitors: MemberChannel[] = []
  #server: ControlServer | undefined

  constructor(directory = temporaryDirectory()) {
    this.directory = directory
  }

  /** @param publishes whether it starts a scheduler, or adds workers to one */
  async start(
    runKey: string,
    { publishes = true, port }: { publishes?: boolean; port?: number } = {},
  ): Promise<FileStore> {
    const server = await startServer({ runKey, onObserver: (visitor) => this.visitors.push(visitor) })
    this.#server = server
    const record: ClusterRecord = await recordOf(port ?? server.port, {
      run_key: runKey,
      ...(publishes ? {} : { adds_workers: true }),
    })
    const store = storeOf(join(this.directory, 'F.json'), runKey)
    onTestFinished(async () => {
      await store.withdraw()
    })
    await store.prepare()
    await store.announce(record, { publishes })
    return store
  }

  /** Its rank 0 goes away without a word. */
  async lose(): Promise<void> {
    for (const visitor of this.visitors) visitor.destroy()
    await this.#server?.close()
  }

  async visited(): Promise<MemberChannel> {
    await vi.waitFor(() => expect(this.visitors).toHaveLength(1), patient)
    return this.visitors[0] ?? expect.fail()
  }
}

test('a wait ends with the cause where the run that is to publish fails before its cluster is there', async () => {
  const run = new Starting()
  const ended = waiting(run.directory)
  await run.start('sim-7.0-r0')
  const { failure } = failureOf('sim-7.0-r0', 'The scheduler ended with status 1')
  ;(await run.visited()).send({ type: 'end', status: 69, failure, forced: false })
  expect(await ended).toMatchObject({
    code: 'ERR_COMPONENT_LOST',
    message: `Cannot wait for the cluster of "${run.directory}/F.json": run sim-7.0-r0 has ended before it was there: The scheduler ended with status 1`,
  })
})

test('a wait ends where that run is over, or its rank 0 is gone', async () => {
  const over = new Starting()
  await over.start('sim-7.0-r0')
  const first = waiting(over.directory)
  ;(await over.visited()).send({ type: 'end', status: 0, forced: false })
  expect(await first).toMatchObject({
    code: 'ERR_COMPONENT_LOST',
    message: expect.stringMatching(/: it is over$/) as string,
  })
  const gone = new Starting()
  await gone.start('sim-7.0-r0')
  const second = waiting(gone.directory)
  await gone.visited()
  await gone.lose()
  expect(await second).toMatchObject({
    code: 'ERR_COMPONENT_LOST',
    message: expect.stringMatching(/: its rank 0 on node0 is gone$/) as string,
  })
})

test('what an earlier run has left ends no wait, nor does a run that only adds workers', async () => {
  const run = new Starting()
  const [left, killed] = [storeOf(join(run.directory, 'F.json'), 'sim-6.0-r0'), 'sim-6.1-r0']
  await left.prepare()
  await left.publishOutcome(failureOf('sim-6.0-r0'))
  await run.start(killed, { port: closedPort })
  await run.start('sim-7.1-r0', { publishes: false })
  expect(await waiting(run.directory, 3_000)).toMatchObject({
    code: 'ERR_TIMED_OUT',
    message: expect.stringContaining('there is no such file') as string,
  })
  expect(run.visitors).toEqual([])
  await left.withdraw()
})

test('a wait ends with the cause where a run fails before it listens, and not with one that only adds workers', async () => {
  const directory = temporaryDirectory()
  const stores = ['sim-6.0-r0', 'sim-7.0-r0', 'sim-8.0-r0'].map((key) => storeOf(join(directory, 'F.json'), key))
  onTestFinished(async () => {
    for (const store of stores) await store.withdraw()
  })
  const [earlier, adding, failing] = stores as [FileStore, FileStore, FileStore]
  await earlier.prepare()
  await earlier.publishOutcome(failureOf('sim-6.0-r0'))
  const progress = vi.fn()
  const ended = waiting(directory, long, progress)
  await vi.waitFor(() => expect(progress).toHaveBeenCalled(), patient)
  await adding.prepare()
  await adding.publishOutcome({ ...failureOf('sim-7.0-r0'), adds_workers: true })
  await failing.prepare()
  await failing.publishOutcome(failureOf('sim-8.0-r0', 'Cannot listen on port 8786'))
  expect(await ended).toMatchObject({
    code: 'ERR_COMPONENT_LOST',
    message: expect.stringMatching(
      /: run sim-8.0-r0 has ended before it was there: Cannot listen on port 8786$/,
    ) as string,
  })
})

test('a run whose scheduler speaks another protocol is stopped, and is not waited for in vain', async () => {
  const path = join(temporaryDirectory(), 'F.json')
  const scheduler = createServer().listen(0, '127.0.0.1')
  await once(scheduler, 'listening')
  const server = await startServer({
    onObserver: (visitor) => {
      visitor.onMessage(() => {
        rmSync(path)
        scheduler.close(() => {
          visitor.send({ type: 'end', status: 3, forced: false })
          void server.close()
        })
      })
    },
  })
  const { port } = scheduler.address() as AddressInfo
  const file = { ...fileOf(await recordOf(server.port)), address: `ws://127.0.0.1:${port}` }
  const published = { ...file, dask_hpc_runner: { ...file.dask_hpc_runner, secret: 'the-secret' } }
  await writeFile(path, JSON.stringify(published), { mode: 0o600 })
  expect(await waiting(dirname(path))).toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: `Cannot wait for the cluster of "${path}": cannot use the address "ws://127.0.0.1:${port}": only tcp:// and tls:// are spoken here`,
  })
  const signal = new AbortController().signal
  expect(await stopCluster({ target: { path }, timeout: long, signal, onProgress: vi.fn() })).toMatchObject({
    kind: 'stopped',
    address: `ws://127.0.0.1:${port}`,
    runStatus: 3,
  })
})

test('a wait hears of a run whose rank 0 cannot listen', async () => {
  await using cluster = await Cluster.make()
  const taken = createServer().listen(0)
  onTestFinished(() => {
    taken.close()
  })
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const wait = cluster.run(['wait', '--scheduler-file', 'F.json', '--timeout', '50s'])
  // It has looked by then.
  await wait.expectOutput('waiting for the cluster')
  const env = slurmEnvironment('step-4nodes-1task-each-proc0')
  const run = cluster.run(['run', '--scheduler-file', 'F.json', '--control-port', String(port), '--', 'true'], env)
  await wait.expectStatus(69)
  expect(wait.stderr).toMatch(/run \S+ has ended before it was there: .*--control-port/)
  expect((await run.ended).status).not.toBe(0)
})
