import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { needCluster } from '../../../src/commands/cluster/find.ts'
import { completeTarget } from '../../../src/commands/cluster/target.ts'
import { stopCluster } from '../../../src/commands/stop.ts'
import { waitForCluster } from '../../../src/commands/wait.ts'
import { exitStatusOf, messageOf } from '../../../src/errors.ts'
import { temporaryDirectory } from '../../rendezvous/file/support/directory.ts'
import { deadSchedulerFile } from '../../support/dask.ts'

/** The exit status and the message of a command. */
type End = readonly [status: number, message: string]
/** What each command says of one state of things, behind what it was asked to do. */
type Expected = Readonly<Record<'wait' | 'status' | 'stop', readonly [status: number, message: RegExp]>>

/** Of each command. In milliseconds. */
const timeout = 10_000

/** What `wait`, `status` and `stop` would say and end with, asked at the same time. */
async function endsOf(schedulerFile: string): Promise<readonly [wait: End, status: End, stop: End]> {
  const target = completeTarget({ schedulerFile }, {})
  const { signal } = new AbortController()
  const onProgress = (): void => undefined
  const failed = (error: unknown): End => [exitStatusOf(error), messageOf(error)]
  return await Promise.all([
    waitForCluster({ target, workers: 1, timeout, signal, onProgress }).then((): End => [0, 'it is there'], failed),
    needCluster(target, 'Cannot ask', { timeout, signal }).then((): End => [0, 'it is there'], failed),
    stopCluster({ target, timeout, signal, onProgress }).then(
      (stopped): End => [0, stopped.kind === 'nothing' ? `Nothing to stop at ${stopped.why}` : 'stopped'],
      failed,
    ),
  ])
}

/** There is nothing, which may yet come. */
const nothingThere = (why: RegExp): Expected => ({
  wait: [75, new RegExp(`^Cannot find the cluster of ".*F\\.json": after 10 s ${why.source}`)],
  status: [69, new RegExp(`^Cannot ask the cluster of ".*F\\.json": ${why.source}`)],
  stop: [0, new RegExp(`^Nothing to stop at ".*F\\.json": ${why.source}`)],
})

/** There is what is none, and never becomes one. */
const foreign = (why: RegExp): Expected => ({
  wait: [69, new RegExp(`^Cannot wait for the cluster of ".*": ${why.source}`)],
  status: [69, new RegExp(`^Cannot ask the cluster of ".*": ${why.source}`)],
  stop: [69, new RegExp(`^Cannot stop the cluster of ".*": ${why.source}`)],
})

const stranger = /an SSH server answers there/

/** Makes what is at the path; may give another one that the commands are told. */
type Prepare = (path: string) => Promise<unknown>

/** A file with what `change` makes of the text of a scheduler that is gone. */
const file =
  (change: (text: string) => string): Prepare =>
  async (path) => {
    await writeFile(path, change(await deadSchedulerFile()))
  }

const cases: readonly (readonly [what: string, prepare: Prepare, expected: Expected])[] = [
  ['no file', () => Promise.resolve(), nothingThere(/there is no such file$/)],
  [
    'no directory',
    (path) => Promise.resolve(join(dirname(path), 'none/F.json')),
    nothingThere(/there is no such file, or no directory ".*none"/),
  ],
  ['an empty file', file(() => ''), nothingThere(/the file is empty/)],
  ['a truncated file', file((text) => text.slice(0, 32)), nothingThere(/the file is incomplete/)],
  [
    'the file of a scheduler that is gone',
    file((text) => text),
    nothingThere(/its scheduler is gone: nothing listens at tcp:\/\/127\.0\.0\.1:\d+/),
  ],
  ['JSON of something else', file(() => '{"name": "a package"}'), foreign(/it is JSON, but no Dask scheduler file/)],
  ['a text', file(() => 'all: test'), foreign(/it is not JSON/)],
  ['a directory', async (path) => await mkdir(path), foreign(/it is a directory/)],
  [
    'a named pipe',
    async (path) => await promisify(execFile)('mkfifo', [path]),
    foreign(/it is a named pipe, not a regular file/),
  ],
  [
    'a file in the place of its directory',
    async (path) => {
      await writeFile(path, '')
      return join(path, 'F.json')
    },
    foreign(/".*F\.json" is not a directory/),
  ],
  [
    'an address of another protocol',
    file((text) => text.replace('tcp://', 'ucx://')),
    foreign(/cannot use the address "ucx:.*only tcp:\/\/ and tls:\/\//),
  ],
  [
    'a port that something else than Dask has taken',
    async (path) => {
      const port = String(await sshServer())
      await file((text) => text.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`))(path)
    },
    { wait: [75, stranger], status: [69, stranger], stop: [69, stranger] },
  ],
]

async function sshServer(): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end('SSH-2.0-OpenSSH_9.2p1\r\n')
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

test('whatever is in the place of a cluster, wait, status and stop end as they should, and touch nothing', async () => {
  const base = temporaryDirectory()
  // Each wait takes its time, so that all take it together.
  const ends = cases.map(async ([what, prepare], i) => {
    const directory = join(base, String(i))
    await mkdir(directory)
    const path = join(directory, 'F.json')
    const other = await prepare(path)
    const before = await contentOf(path)
    const each = await endsOf(typeof other === 'string' && other.endsWith('F.json') ? other : path)
    expect(await contentOf(path), what).toBe(before)
    return each
  })
  for (const [i, [wait, status, stop]] of (await Promise.all(ends)).entries()) {
    const [what, , expected] = cases[i] ?? expect.fail()
    expect({ what, wait, status, stop }).toEqual({ what, ...matching(expected) })
  }
})

function matching(expected: Expected): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(expected).map(([name, [status, message]]) => [name, [status, expect.stringMatching(message)]]),
  )
}

/** What is there; of what is no regular file, its kind. */
async function contentOf(path: string): Promise<string> {
  const stats = await stat(path).catch(() => undefined)
  return stats?.isFile() === true ? await readFile(path, 'utf8') : `mode ${String(stats?.mode)}`
}

test('a scheduler is asked for a second where the time is over, and not taken for one that is out of reach', async () => {
  const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { signal } = new AbortController()
  const began = performance.now()
  await expect(needCluster({ address }, 'Cannot ask', { timeout: 1, signal })).rejects.toMatchObject({
    code: 'ERR_TIMED_OUT',
    message: expect.stringContaining('it accepts the connection and says nothing') as string,
  })
  expect(performance.now() - began).toBeGreaterThan(900)
})
