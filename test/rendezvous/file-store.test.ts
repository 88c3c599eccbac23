import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { formatSchedulerFile } from '../../src/record/parse.ts'
import type { FileStore, FileStoreOptions } from '../../src/rendezvous/file-store.ts'
import { killedNote } from '../../src/rendezvous/outcome.ts'
import { makeReadOnly, mounted, temporaryDirectory } from './support/directory.ts'
import { failureOf, fileOf, notes, ownerOf, storeOf } from './support/run.ts'

const me = ownerOf('k')
const file = fileOf(me)
const record = file.dask_hpc_runner

async function claimed(
  path = join(temporaryDirectory(), 's.json'),
  changes: Partial<FileStoreOptions> = {},
): Promise<FileStore> {
  const store = storeOf(path, 'k', changes)
  await store.join()
  await store.claim(me)
  return store
}

const beside = async (store: FileStore): Promise<string[]> => (await readdir(store.paths.directory)).toSorted()

test('joining makes the directory and those above it, for this user only, as often as asked', async () => {
  const store = storeOf(join(temporaryDirectory(), 'a', 'b', 's.json'), 'k')
  await Promise.all([store.join(), store.join(), store.join()])
  expect((await stat(store.paths.runDirectory)).mode & 0o777).toBe(0o700)
})

test('joining says when a file is in the way', async () => {
  const path = join(temporaryDirectory(), 's.json')
  const store = storeOf(path, 'k')
  await writeFile(store.paths.runDirectory, '')
  await expect(store.join()).rejects.toThrow('a file is in its place; have it removed, or name another scheduler file')
  await writeFile(path, '')
  await expect(storeOf(join(path, 'deeper', 's.json'), 'k').join()).rejects.toMatchObject({
    code: 'ERR_CANNOT_PUBLISH',
  })
})

test('joining says when the directory is read-only', async (context) => {
  const directory = await mounted(context, 'size=64k')
  makeReadOnly(directory)
  await expect(storeOf(join(directory, 's.json'), 'k').join()).rejects.toMatchObject({
    code: 'ERR_CANNOT_PUBLISH',
    message: `Cannot publish "${join(directory, '.s.json.run-k')}": the filesystem is read-only (EROFS)`,
  })
})

test('what is published stands at the public path and in the run directory', async () => {
  const store = await claimed()
  await store.publish(file)
  expect(await readFile(store.paths.schedulerFile, 'utf8')).toBe(formatSchedulerFile(file))
  expect(await store.lookUp({ timeout: 1000 })).toEqual({ kind: 'cluster', file })
})

test('workers for another cluster are told of it without touching its file', async () => {
  const path = join(temporaryDirectory(), 's.json')
  const foreign = '{"type": "Scheduler", "id": "Scheduler-1", "address": "tcp://127.0.0.1:1"}'
  await writeFile(path, foreign)
  const store = storeOf(path, 'k')
  await store.join()
  await store.publish(file, { publicToo: false })
  expect(await store.lookUp({ timeout: 1000 })).toEqual({ kind: 'cluster', file })
  await store.withdraw()
  expect(await beside(store)).toEqual(['s.json'])
  expect(await readFile(path, 'utf8')).toBe(foreign)
})

test('nothing is published once another run has taken the path over', async () => {
  const store = await claimed()
  const thief = storeOf(store.paths.schedulerFile, 'other')
  await thief.join()
  await thief.claim(ownerOf('other'))
  await expect(store.publish(file)).rejects.toThrow('another run has taken it over')
  await thief.publish(fileOf(ownerOf('other')))
  const theirs = await readFile(store.paths.schedulerFile, 'utf8')
  await store.withdraw()
  expect(await readFile(store.paths.schedulerFile, 'utf8')).toBe(theirs)
  await thief.withdraw()
  expect(await beside(store)).toEqual([])
})

test('a file that another program put there after the claim is left alone', async () => {
  const store = await claimed()
  await writeFile(store.paths.schedulerFile, 'mine')
  await expect(store.publish(file)).rejects.toThrow('another program has put a file there meanwhile')
  await store.withdraw()
  expect(await beside(store)).toEqual(['s.json'])
})

test('after withdrawing nothing is left, and doing so again is fine', async () => {
  const store = await claimed()
  await store.publish(file)
  await store.withdraw()
  await store.withdraw()
  expect(await beside(store)).toEqual([])
})

test('a lock that is held keeps the end waiting for a moment only', async () => {
  const logger = notes()
  const store = await claimed(undefined, { logger })
  const lock = join(store.paths.directory, '.s.json.lock')
  await mkdir(lock)
  await store.withdraw()
  expect(logger.lines).toEqual([
    expect.stringContaining(
      `another process has held the lock "${lock}" for 2 s; if no run is starting there, remove it`,
    ),
  ])
  expect(await beside(store)).toEqual(['.s.json.lock', '.s.json.owner'])
})

test('a tombstone alone is left for those who come late', async () => {
  const store = await claimed()
  await store.publish(file)
  await store.withdraw({ tombstone: failureOf('k') })
  expect(await beside(store)).toEqual(['.s.json.run-k'])
  expect(await readdir(store.paths.runDirectory)).toEqual(['outcome.json'])
  expect(await store.lookUp({ timeout: 1000 })).toEqual({ kind: 'outcome', outcome: failureOf('k') })
})

test('withdrawing does not mind that everything has gone', async () => {
  const store = storeOf(join(temporaryDirectory(), 'none', 's.json'), 'k')
  await store.withdraw()
  const logger = notes()
  await storeOf(store.paths.schedulerFile, 'k', { logger }).withdraw({ tombstone: failureOf('k') })
  expect(logger.lines).toEqual([])
})

test('what an earlier start of the same run left in its directory is cleared by the claim', async () => {
  const path = join(temporaryDirectory(), 's.json')
  const directory = join(dirname(path), '.s.json.run-k')
  await mkdir(directory, { mode: 0o700 })
  await writeFile(join(directory, 'record.json'), formatSchedulerFile(fileOf(ownerOf('k', { nonce: 'before' }))))
  await writeFile(join(directory, 'failed-73-x'), '')
  await claimed(path)
  expect(await readdir(directory)).toEqual(['here-0.node0'])
})

test('a second start with the same key does not disturb the first', async () => {
  const first = await claimed()
  await first.publish(file)
  const second = storeOf(first.paths.schedulerFile, 'k', { ask: () => Promise.resolve('alive') })
  await second.join()
  await expect(second.claim(ownerOf('k', { nonce: 'second' }))).rejects.toThrow(
    'another process claims to be rank 0 of this run',
  )
  await second.publishOutcome(failureOf('k'))
  await second.withdraw({ tombstone: failureOf('k') })
  expect(await first.lookUp({ timeout: 1000 })).toEqual({ kind: 'cluster', file })
  expect(await beside(first)).toEqual(['.s.json.owner', '.s.json.run-k', 's.json'])
})

test('on a full disk the claim fails at once, and the others are told by a name alone', async (context) => {
  const directory = await mounted(context, 'size=64k')
  const store = storeOf(join(directory, 's.json'), 'k')
  await store.join()
  await writeFile(join(directory, 'data'), Buffer.alloc(64 * 1024)).catch(() => undefined)
  await expect(store.claim(me)).rejects.toThrow('no space is left on the filesystem (ENOSPC)')
  await store.publishOutcome(failureOf('k', 'no space is left on the filesystem (ENOSPC)'))
  expect(await readdir(store.paths.runDirectory)).toEqual([
    'failed-69-no-space-is-left-on-the-filesystem-ENOSPC',
    'here-0.node0',
  ])
  expect(await store.lookUp({ timeout: 1000 })).toMatchObject({ kind: 'outcome', outcome: { failure: { status: 69 } } })
  await store.withdraw()
  expect(await beside(store)).toEqual(['data'])
})

test('an outcome that can be left nowhere is no error', async () => {
  await storeOf(join(temporaryDirectory(), 'none', 's.json'), 'k').publishOutcome(failureOf('k'))
})

test.for<[string, boolean, boolean, (store: FileStore) => Promise<void>]>([
  ['what the others have left is no word of process 0', false, false, async (store) => store.depart(1)],
  ['where process 0 is, is published', true, false, async (store) => store.publishGatherer(record, { claimed: true })],
  ['the cluster is published', true, false, async (store) => store.publish(file, { publicToo: false })],
  ['an outcome is the end', true, true, async (store) => store.publishOutcome(failureOf('k'))],
  [
    'that process 0 was killed is the end',
    true,
    true,
    async ({ paths }) => leave(paths.runDirectory, killedNote('n0')),
  ],
  ['a directory that is gone is the end', true, true, async ({ paths }) => rm(paths.runDirectory, { recursive: true })],
])('%s', async ([, isPublished, isOver, happens]) => {
  const store = storeOf(join(temporaryDirectory(), 's.json'), 'k')
  await store.join()
  await happens(store)
  expect([await store.isPublished(), await store.isOver()]).toEqual([isPublished, isOver])
})

test('a directory that cannot be read says nothing', async () => {
  const store = storeOf(join(temporaryDirectory(), 's.json'), 'k')
  await writeFile(store.paths.runDirectory, '')
  await expect(store.isPublished()).rejects.toThrow('a file is in its place')
  await expect(store.isOver()).rejects.toThrow('a file is in its place')
})

async function leave(directory: string, name: string): Promise<void> {
  await writeFile(join(directory, name), '')
}
