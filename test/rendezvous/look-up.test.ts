import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { WatchMode } from '../../src/options.ts'
import { formatSchedulerFile } from '../../src/record/parse.ts'
import type { FileStore } from '../../src/rendezvous/file-store.ts'
import { publishFile } from '../../src/rendezvous/publish.ts'
import { temporaryDirectory } from './support/directory.ts'
import { failureOf, fileOf, ownerOf, storeOf } from './support/run.ts'

const file = fileOf(ownerOf('k'))
const timeout = 10_000

async function joined(watch: WatchMode = 'poll'): Promise<FileStore> {
  const store = storeOf(join(temporaryDirectory(), 's.json'), 'k', { watch })
  await store.join()
  return store
}

test.each<WatchMode>(['poll', 'events', 'auto'])('by %s a record is seen once it is published', async (watch) => {
  const store = await joined(watch)
  const looking = store.lookUp({ timeout })
  await publishFile(store.paths.record, formatSchedulerFile(file))
  expect(await looking).toEqual({ kind: 'cluster', file })
})

test('an outcome is found before a record', async () => {
  const store = await joined()
  await publishFile(store.paths.record, formatSchedulerFile(file))
  await store.publishOutcome(failureOf('k'))
  expect(await store.lookUp({ timeout })).toEqual({ kind: 'outcome', outcome: failureOf('k') })
})

test('a note of a failure is found, with its status and its words', async () => {
  const store = await joined()
  await writeFile(join(store.paths.runDirectory, 'failed-73-no-space-left'), '')
  const found = await store.lookUp({ timeout })
  expect(found).toMatchObject({
    kind: 'outcome',
    outcome: { failure: { status: 73, message: expect.stringContaining('no space left') as string } },
  })
})

test('a directory that was removed means that the run is over', async () => {
  const store = await joined()
  const looking = store.lookUp({ timeout })
  await rm(store.paths.runDirectory, { recursive: true })
  expect(await looking).toEqual({ kind: 'outcome', outcome: { version: 1, run_key: 'k' } })
})

test('a record whose content comes later than its name is borne', async () => {
  const store = await joined()
  await writeFile(store.paths.record, '')
  const looking = store.lookUp({ timeout })
  await publishFile(store.paths.record, formatSchedulerFile(file))
  expect(await looking).toEqual({ kind: 'cluster', file })
})

test('a record that stays unreadable is an error', async () => {
  const store = await joined()
  await writeFile(store.paths.record, '{"type": "Sche')
  await expect(store.lookUp({ timeout })).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: `Cannot use what stands in "${store.paths.record}": it is not a record of this program`,
  })
})

test('a record of another run is an error at once', async () => {
  const store = await joined()
  await writeFile(store.paths.record, formatSchedulerFile(fileOf(ownerOf('x'))))
  await expect(store.lookUp({ timeout })).rejects.toThrow('it is about run x, not about run k')
})

test('a record that was found to be dead is waited past', async () => {
  const store = await joined()
  await publishFile(store.paths.record, formatSchedulerFile(fileOf(ownerOf('k', { nonce: 'dead' }))))
  const looking = store.lookUp({ timeout, except: new Set(['dead']) })
  await publishFile(store.paths.record, formatSchedulerFile(file))
  expect(await looking).toEqual({ kind: 'cluster', file })
})

test('when nothing comes the error says what was awaited, where, how long, and what was there', async () => {
  const store = await joined()
  await mkdir(join(store.paths.runDirectory, 'something'))
  await expect(store.lookUp({ timeout: 150 })).rejects.toMatchObject({
    code: 'ERR_TIMED_OUT',
    message:
      'Cannot find the cluster: waited 150 ms for process 0 to publish "record.json" in ' +
      `"${store.paths.runDirectory}", where process 0 had come and there was "something" instead`,
  })
})

test('a signal ends the wait with its reason', async () => {
  const store = await joined()
  const stop = new AbortController()
  const looking = store.lookUp({ timeout, signal: stop.signal })
  stop.abort(new Error('enough'))
  await expect(looking).rejects.toThrow('enough')
})
