import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { formatSchedulerFile } from '../../../src/record/parse.ts'
import type { FileStore, FileStoreOptions } from '../../../src/rendezvous/file/file-store.ts'
import type { DirectoryKeeper } from '../../../src/util/own-directory.ts'
import { patient } from '../../support/until.ts'
import { makeReadOnly, mounted, temporaryDirectory } from './support/directory.ts'
import { failureOf, fileOf, notes, ownerOf, storeOf } from './support/run.ts'

const file = fileOf(ownerOf('k'))
const record = file.dask_hpc_runner

async function announced(
  path = join(temporaryDirectory(), 's.json'),
  changes: Partial<FileStoreOptions> = {},
): Promise<FileStore> {
  const store = storeOf(path, 'k', changes)
  await store.prepare()
  await store.announce(record, { publishes: true })
  return store
}

const beside = async (store: FileStore): Promise<string[]> => (await readdir(store.paths.directory)).toSorted()

test('preparing makes the directory and those above it, for this user only, as often as asked', async () => {
  const store = storeOf(join(temporaryDirectory(), 'a', 'b', 's.json'), 'k')
  await Promise.all([store.prepare(), store.prepare(), store.prepare()])
  expect((await stat(store.paths.runDirectory)).mode & 0o777).toBe(0o700)
})

test('preparing says when a file is in the way', async () => {
  const path = join(temporaryDirectory(), 's.json')
  const store = storeOf(path, 'k')
  await writeFile(store.paths.runDirectory, '')
  await expect(store.prepare()).rejects.toThrow(
    'a file is in its place; have it removed, or name another scheduler file',
  )
  await writeFile(path, '')
  await expect(storeOf(join(path, 'deeper', 's.json'), 'k').prepare()).rejects.toMatchObject({
    code: 'ERR_CANNOT_PUBLISH',
  })
})

test('preparing says when the directory is read-only', async (context) => {
  const directory = await mounted(context, 'size=64k')
  makeReadOnly(directory)
  await expect(storeOf(join(directory, 's.json'), 'k').prepare()).rejects.toMatchObject({
    code: 'ERR_CANNOT_PUBLISH',
    message: `Cannot publish "${join(directory, '.s.json.run-k')}": the filesystem is read-only (EROFS)`,
  })
})

test('where rank 0 listens stands in the run directory, and the cluster at the public path', async () => {
  const store = await announced()
  expect(await store.lookUp({ timeout: patient })).toEqual({ kind: 'coordinator', record })
  await store.publish(file)
  expect(await readFile(store.paths.schedulerFile, 'utf8')).toBe(formatSchedulerFile(file))
  expect((await stat(store.paths.schedulerFile)).mode & 0o777).toBe(0o600)
})

test('workers for another cluster meet without touching its file', async () => {
  const path = join(temporaryDirectory(), 's.json')
  const foreign = '{"type": "Scheduler", "id": "Scheduler-1", "address": "tcp://127.0.0.1:1"}'
  await writeFile(path, foreign)
  const store = storeOf(path, 'k')
  await store.prepare()
  await store.announce(record, { publishes: false })
  expect(await store.lookUp({ timeout: patient })).toEqual({ kind: 'coordinator', record })
  await store.withdraw()
  expect(await beside(store)).toEqual(['s.json'])
  expect(await readFile(path, 'utf8')).toBe(foreign)
})

test('a file that another program put there meanwhile is left alone', async () => {
  const store = await announced()
  await writeFile(store.paths.schedulerFile, 'mine')
  await expect(store.publish(file)).rejects.toThrow('a file that is not ours stands there: it is not JSON')
  await store.withdraw()
  expect(await beside(store)).toEqual(['s.json'])
})

test('after withdrawing nothing is left, and doing so again is fine', async () => {
  const store = await announced()
  await store.publish(file)
  await store.withdraw()
  await store.withdraw()
  expect(await beside(store)).toEqual([])
})

test('an outcome alone is left for those who come late', async () => {
  const store = await announced()
  await store.publish(file)
  await store.withdraw({ outcome: failureOf('k') })
  expect(await beside(store)).toEqual(['.s.json.run-k'])
  expect(await readdir(store.paths.runDirectory)).toEqual(['outcome.json'])
  expect(await store.lookUp({ timeout: patient })).toEqual({ kind: 'outcome', outcome: failureOf('k') })
})

test('withdrawing does not mind that everything has gone', async () => {
  const store = storeOf(join(temporaryDirectory(), 'none', 's.json'), 'k')
  await store.withdraw()
  const logger = notes()
  await storeOf(store.paths.schedulerFile, 'k', { logger }).withdraw({ outcome: failureOf('k') })
  expect(logger.lines).toEqual([])
})

test('what an earlier start of the same run left in its directory is cleared', async () => {
  const path = join(temporaryDirectory(), 's.json')
  const directory = join(dirname(path), '.s.json.run-k')
  await mkdir(directory, { mode: 0o700 })
  const before = fileOf(ownerOf('k', { nonce: 'before' })).dask_hpc_runner
  await writeFile(join(directory, 'coordinator.json'), JSON.stringify(before))
  await writeFile(join(directory, 'exited-0.json'), '')
  await writeFile(join(directory, 'exited-2.json'), '')
  const store = await announced(path)
  expect((await readdir(directory)).toSorted()).toEqual(['coordinator.json', 'exited-2.json'])
  expect(await store.lookUp({ timeout: patient })).toEqual({ kind: 'coordinator', record })
})

test.each([true, false])(
  'a second start with the same key does not disturb the first (published: %s)',
  async (isThere) => {
    const first = await announced()
    if (isThere) await first.publish(file)
    const second = storeOf(first.paths.schedulerFile, 'k', { ask: () => Promise.resolve('alive') })
    await second.prepare()
    const record2 = { ...record, nonce: 'second' }
    const announcing = second.announce(record2, { publishes: true })
    await expect(announcing).rejects.toThrow('another process claims to be rank 0 of this run')
    await second.publishOutcome(failureOf('k'))
    await second.withdraw({ outcome: failureOf('k') })
    expect(await first.lookUp({ timeout: patient })).toEqual({ kind: 'coordinator', record })
    expect(await beside(first)).toEqual(['.s.json.run-k', ...(isThere ? ['s.json'] : [])])
  },
)

test('on a full disk announcing fails at once, and the others are told by an empty file', async (context) => {
  const directory = await mounted(context, 'size=64k')
  const store = storeOf(join(directory, 's.json'), 'k')
  await store.prepare()
  await writeFile(join(directory, 'data'), Buffer.alloc(64 * 1024)).catch(() => undefined)
  const announcing = store.announce(record, { publishes: true })
  await expect(announcing).rejects.toThrow('no space is left on the filesystem (ENOSPC)')
  await store.publishOutcome(failureOf('k', 'no space is left on the filesystem (ENOSPC)'))
  expect(await readdir(store.paths.runDirectory)).toEqual(['outcome.json'])
  expect(await store.lookUp({ timeout: 5000 })).toMatchObject({ kind: 'outcome', outcome: { failure: { status: 73 } } })
  await store.withdraw()
  expect(await beside(store)).toEqual(['data'])
})

test('an outcome that can be left nowhere is no error', async () => {
  await storeOf(join(temporaryDirectory(), 'none', 's.json'), 'k').publishOutcome(failureOf('k'))
})

test.for<[string, boolean, boolean, (store: FileStore) => Promise<void>]>([
  [
    'what the others have left is no word of rank 0',
    false,
    false,
    async ({ paths }) => leave(paths.runDirectory, 'exited-1.json'),
  ],
  ['where rank 0 listens is published', true, false, async (store) => store.announce(record, { publishes: true })],
  ['an outcome is the end', true, true, async (store) => store.publishOutcome(failureOf('k'))],
  ['that rank 0 was killed is the end', true, true, async ({ paths }) => leave(paths.runDirectory, 'exited-0.json')],
  ['a directory that is gone is the end', true, true, async ({ paths }) => rm(paths.runDirectory, { recursive: true })],
])('%s', async ([, isPublished, isOver, happens]) => {
  const store = storeOf(join(temporaryDirectory(), 's.json'), 'k')
  await store.prepare()
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

test('a rank that ends early leaves why, or that it has ended where it cannot say why; rank 0 leaves nothing', async () => {
  const path = join(temporaryDirectory(), 's.json')
  const stores = [0, 1, 2].map((rank) => storeOf(path, 'k', { me: { rank, node: 'node0' } })) as [
    FileStore,
    FileStore,
    FileStore,
  ]
  for (const store of stores) await store.prepare()
  const { failure } = failureOf('k')
  await stores[0].leaveEarlyExit(failure)
  await stores[1].leaveEarlyExit(failure)
  await leave(stores[2].paths.runDirectory, 'exited-2.json')
  const exits = (await stores[0].earlyExits()).toSorted((a, b) => a.rank - b.rank)
  expect(exits).toEqual([
    { rank: 1, failure },
    { rank: 2, failure: undefined },
  ])
  expect(await stores[0].isPublished()).toBe(false)
})

test('where rank 0 was killed, the last of the others that leaves removes what is left', async () => {
  const path = join(temporaryDirectory(), 's.json')
  const stores = [1, 2, 3].map((rank) => storeOf(path, 'k', { me: { rank, node: 'node0' } }))
  for (const store of stores) await store.prepare()
  const [{ paths } = expect.fail('there is none')] = stores
  await leave(paths.runDirectory, 'exited-0.json')
  for (const [left, store] of stores.entries()) {
    expect(await readdir(paths.runDirectory)).toHaveLength(left + 1)
    await store.leaveEarlyExit()
  }
  expect(await readdir(paths.directory)).toEqual([])
})

test('a process that has found rank 0 removes what that has published, and nothing of another start', async () => {
  const first = await announced()
  await first.publish(file)
  const store = storeOf(first.paths.schedulerFile, 'k', { me: { rank: 1, node: 'node1' } })
  await store.prepare()
  await store.lookUp({ timeout: patient })
  const other = JSON.stringify({ ...record, nonce: 'another' })
  await writeFile(first.paths.coordinator, other)
  await store.withdraw({ outcome: failureOf('k') })
  expect(await beside(store)).toEqual(['.s.json.run-k'])
  expect(await readdir(store.paths.runDirectory)).toEqual(['coordinator.json'])
  await writeFile(first.paths.coordinator, JSON.stringify(record))
  const again = storeOf(first.paths.schedulerFile, 'k', { me: { rank: 1, node: 'node1' } })
  await again.lookUp({ timeout: patient })
  await again.withdraw()
  expect(await beside(store)).toEqual([])
})

test('one of many is the first to say that rank 0 is lost, and the mark is to be removed before it is made', async () => {
  const store = storeOf(join(temporaryDirectory(), 's.json'), 'k')
  const expected: [string, boolean][] = []
  const keeper: DirectoryKeeper = {
    expectDirectory: (path) => void expected.push([path, existsSync(path)]),
    addDirectory: () => undefined,
  }
  expect([await store.claimLoss(keeper), await store.claimLoss(keeper)]).toEqual([true, false])
  expect(expected).toEqual([
    [store.paths.lost, false],
    [store.paths.lost, true],
  ])
})
