import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, rename, symlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FileStore } from '../../src/rendezvous/file-store.ts'
import { newKey, type NewsPort, newsPortNameOf, readNewsPort, seal, unseal } from '../../src/rendezvous/news-port.ts'
import { sendNews } from '../../src/rendezvous/news-wire.ts'
import { publishFile } from '../../src/rendezvous/publish.ts'
import { until } from '../support/until.ts'
import { inMemory, temporaryDirectory } from './support/directory.ts'
import { buildProgram, start } from './support/programs.ts'
import { failureOf, fileOf, ownerOf, storeOf } from './support/run.ts'

const { signal } = new AbortController()
const gatherer = fileOf(ownerOf('k')).dask_hpc_runner
const file = fileOf(ownerOf('k'))
const found = { kind: 'gatherer', record: gatherer }
/** Nothing here is found by looking again. In milliseconds. */
const hour = 3_600_000

/** Process 0 and one other process of a run of one host. */
async function two(pollInterval: number = hour): Promise<{ readonly zero: FileStore; readonly one: FileStore }> {
  const path = join(temporaryDirectory(), 's.json')
  const zero = storeOf(path, 'k', { nodes: 1 })
  const one = storeOf(path, 'k', { nodes: 1, pollInterval, me: { rank: 1, node: 'node0' } })
  await zero.join()
  await one.join()
  return { zero, one }
}

async function portsIn(store: FileStore): Promise<NewsPort[]> {
  return (await readdir(store.paths.runDirectory)).flatMap((name) => readNewsPort(name) ?? [])
}

async function portOf(store: FileStore): Promise<NewsPort> {
  const [port] = await until(
    async () => portsIn(store),
    (ports) => ports.length > 0,
    { what: 'somebody listens', say: String },
  )
  if (port === undefined) throw new Error('nobody listens')
  return port
}

/** Tells until `looking` has settled, as process 0 does while a process is missing. */
async function tellUntil<T>(zero: FileStore, looking: Promise<T>): Promise<T> {
  const telling = setInterval(() => void zero.departed(), 50)
  try {
    return await looking
  } finally {
    clearInterval(telling)
    await zero.withdraw()
  }
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

test('the name of a port tells all of it, and other names none', () => {
  const port = { rank: 12, key: newKey(), port: 41_234, addresses: ['10.0.0.3', 'fd00::3:1'] }
  expect(readNewsPort(newsPortNameOf(port))).toEqual(port)
  const long = { ...port, addresses: Array<string>(9).fill('fd00:1111:2222:3333:4444:5555:6666:7777') }
  expect(newsPortNameOf(long).length).toBeLessThanOrEqual(255)
  const noPort = newsPortNameOf({ ...port, port: 65_536 })
  for (const name of ['here-1.node1', 'record.json', 'news-1.short.1.10.0.0.1', noPort])
    expect(readNewsPort(name)).toBeUndefined()
})

test('what is sealed is opened by its key alone, and whole', () => {
  const key = newKey()
  const sealed = seal('news', key)
  expect(unseal(sealed, key)).toBe('news')
  expect(unseal(sealed, newKey())).toBeUndefined()
  for (const length of [0, 11, 12, 27, sealed.length - 1])
    expect(unseal(sealed.subarray(0, length), key)).toBeUndefined()
  for (const at of [0, 12, sealed.length - 1]) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(unseal(changed, key)).toBeUndefined()
  }
})

test('who looks once in an hour is told where process 0 is, and closes its port', async () => {
  const { zero, one } = await two()
  const looking = one.lookUp({ timeout: hour })
  const { port } = await portOf(one)
  await zero.publishGatherer(gatherer, { claimed: false })
  expect(await tellUntil(zero, looking)).toEqual(found)
  expect(await isOpen(port)).toBe(false)
  expect(await readdir(zero.paths.directory)).toEqual([])
})

test('who looks once in an hour is told of the cluster, and of a failure', async () => {
  const cluster = await two()
  const told = cluster.one.lookUp({ timeout: hour })
  await portOf(cluster.one)
  await cluster.zero.publish(file, { publicToo: false })
  expect(await tellUntil(cluster.zero, told)).toEqual({ kind: 'cluster', file })

  const failed = await two()
  const toldOfIt = failed.one.lookUp({ timeout: hour })
  await portOf(failed.one)
  await failed.zero.publishOutcome(failureOf('k'))
  expect(await tellUntil(failed.zero, toldOfIt)).toEqual({ kind: 'outcome', outcome: failureOf('k') })
})

test('who comes after the publication looks, and does not listen', async () => {
  const { zero, one } = await two()
  await zero.publishGatherer(gatherer, { claimed: false })
  expect(await one.lookUp({ timeout: hour })).toEqual(found)
  expect(await portsIn(one)).toEqual([])
})

test('who looks often does not listen', async () => {
  const { one } = await two(100)
  const stop = new AbortController()
  const looking = one.lookUp({ timeout: hour, signal: stop.signal })
  let looks = 0
  await until(
    async () => {
      expect(await portsIn(one)).toEqual([])
      return ++looks
    },
    (times) => times > 20,
    { what: 'it has looked', say: String },
  )
  stop.abort(new Error('enough'))
  await expect(looking).rejects.toThrow('enough')
})

test('with events nobody listens', async () => {
  const { zero, one } = await two()
  const store = storeOf(zero.paths.schedulerFile, 'k', { nodes: 1, watch: 'events', pollInterval: hour })
  const looking = store.lookUp({ timeout: hour })
  await publishFile(zero.paths.gatherer, JSON.stringify(gatherer))
  expect(await looking).toEqual(found)
  expect(await portsIn(one)).toEqual([])
})

test('a wrong key, garbage, and news of another run or of a dead one are not believed, and do no harm', async () => {
  const { zero, one } = await two()
  const looking = one.lookUp({ timeout: hour, except: new Set(['dead']) })
  const { key, port } = await portOf(one)
  const to = { host: '127.0.0.1', port }
  const send = async (what: Buffer): Promise<boolean> => await sendNews(to, what, signal)
  expect(await send(seal(JSON.stringify(found), newKey()))).toBe(false)
  expect(await send(Buffer.from(JSON.stringify(found)))).toBe(false)
  expect(await send(Buffer.alloc(0))).toBe(false)
  expect(await send(randomBytes(1_000_000))).toBe(false)
  const other = { kind: 'cluster', file: fileOf(ownerOf('another')) }
  const dead = { kind: 'gatherer', record: { ...gatherer, nonce: 'dead' } }
  // Sealed with the right key, and longer than anything that process 0 sends.
  const long = { kind: 'gatherer', record: { ...gatherer, padding: 'x'.repeat(300_000) } }
  for (const text of ['{"kind": "clus', '{}', ...[other, dead, long].map((each) => JSON.stringify(each))])
    expect(await send(seal(text, key)), text).toBe(false)
  // Some hold connections and say nothing.
  const silent = Array.from({ length: 5 }, () => connect(port, '127.0.0.1'))
  await Promise.all(silent.map(async (socket) => once(socket, 'connect')))
  await zero.publishGatherer(gatherer, { claimed: false })
  expect(await tellUntil(zero, looking)).toEqual(found)
  await Promise.all(silent.map(async (socket) => (socket.destroyed ? undefined : once(socket.resume(), 'close'))))
})

test('who cannot be told finds the file by looking', async () => {
  const { zero, one } = await two(3_000)
  const looking = one.lookUp({ timeout: hour })
  const port = await portOf(one)
  // What it has left leads nowhere: it cannot be told.
  const inDirectory = (port: NewsPort): string => join(one.paths.runDirectory, newsPortNameOf(port))
  await rename(inDirectory(port), inDirectory({ ...port, key: newKey() }))
  await zero.publishGatherer(gatherer, { claimed: false })
  expect(await tellUntil(zero, looking)).toEqual(found)
})

test('five hosts of which each looks once in an hour and a half are told, and one that was killed holds up none', async () => {
  const directory = temporaryDirectory(inMemory())
  const zero = storeOf(join(directory, 's.json'), 'k', { nodes: 8, size: 8 })
  await zero.join()
  const program = await buildProgram('waiter')
  // Each takes the directory by a path of its own, and so for a host of its own.
  const waiters = await Promise.all(
    [1, 2, 3, 4, 5].map(async (rank) => {
      await symlink(directory, join(directory, `host${rank}`))
      return start(program, join(directory, `host${rank}`, 's.json'), String(rank))
    }),
  )
  const listening = await until(
    async () => (await portsIn(zero)).map(({ rank }) => rank).toSorted((a, b) => a - b),
    (ranks) => ranks.length === 5,
    { what: 'all of them listen', say: String },
  )
  expect(listening).toEqual([1, 2, 3, 4, 5])
  const [first, ...others] = waiters
  await first?.kill()
  await zero.publishGatherer(gatherer, { claimed: false })
  const lines = await tellUntil(zero, Promise.all(others.map(async (waiter) => waiter.nextLine())))
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(Array(4).fill(found))
})

test('where nothing comes the key stays out of the message', async () => {
  const { one } = await two(1_200)
  // It has looked again since it listens.
  await expect(one.lookUp({ timeout: 4_000 })).rejects.toThrow(/where process 0, 1 had come$/)
  expect(await portsIn(one)).toHaveLength(1)
})
