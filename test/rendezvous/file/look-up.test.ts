import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { WatchMode } from '../../../src/options.ts'
import type { FileStore } from '../../../src/rendezvous/file/file-store.ts'
import { publishFile } from '../../../src/rendezvous/file/publish.ts'
import { temporaryDirectory } from './support/directory.ts'
import { failureOf, fileOf, ownerOf, storeOf } from './support/run.ts'

const record = fileOf(ownerOf('k')).dask_hpc_runner
const found = { kind: 'coordinator', record }
const timeout = 10_000
const outcomeOf = ({ paths }: FileStore): string => join(paths.runDirectory, 'outcome.json')

async function joined(watch: WatchMode = 'poll'): Promise<FileStore> {
  const store = storeOf(join(temporaryDirectory(), 's.json'), 'k', { watch })
  await store.prepare()
  return store
}

test.each<WatchMode>(['poll', 'events', 'auto'])('by %s a record is seen once it is published', async (watch) => {
  const store = await joined(watch)
  const looking = store.lookUp({ timeout })
  await publishFile(store.paths.coordinator, JSON.stringify(record))
  expect(await looking).toEqual(found)
})

test('an outcome is found before a record', async () => {
  const store = await joined()
  await publishFile(store.paths.coordinator, JSON.stringify(record))
  await store.publishOutcome(failureOf('k'))
  expect(await store.lookUp({ timeout })).toEqual({ kind: 'outcome', outcome: failureOf('k') })
})

test('an outcome that stays empty is a failure of rank 0 that it could not write', async () => {
  const store = await joined()
  await writeFile(outcomeOf(store), '')
  expect(await store.lookUp({ timeout })).toMatchObject({
    kind: 'outcome',
    outcome: { failure: { status: 73, message: expect.stringContaining('could not write why') as string } },
  })
})

test('an outcome whose content comes later than its name is borne', async () => {
  const store = await joined()
  await writeFile(outcomeOf(store), '')
  const looking = store.lookUp({ timeout })
  await publishFile(outcomeOf(store), JSON.stringify(failureOf('k')))
  expect(await looking).toEqual({ kind: 'outcome', outcome: failureOf('k') })
})

test('that rank 0 was killed is found, with its host where that is known', async () => {
  const store = await joined()
  await writeFile(`${store.paths.runDirectory}/exited-0.json`, '')
  const message = async (): Promise<string | undefined> => {
    const seen = await store.lookUp({ timeout })
    return seen.kind === 'outcome' ? seen.outcome.failure?.message : undefined
  }
  expect(await message()).toBe('Lost rank 0: it was killed')
  await publishFile(store.paths.coordinator, JSON.stringify(record))
  expect(await message()).toBe('Lost rank 0 on node0: it was killed')
})

test('a directory that was removed means that the run is over', async () => {
  const store = await joined()
  const looking = store.lookUp({ timeout })
  await rm(store.paths.runDirectory, { recursive: true })
  expect(await looking).toEqual({ kind: 'outcome', outcome: { version: 1, run_key: 'k' } })
})

test('a record whose content comes later than its name is borne', async () => {
  const store = await joined()
  await writeFile(store.paths.coordinator, '')
  const looking = store.lookUp({ timeout })
  await publishFile(store.paths.coordinator, JSON.stringify(record))
  expect(await looking).toEqual(found)
})

test('a record that stays unreadable is an error', async () => {
  const store = await joined()
  await writeFile(store.paths.coordinator, '{"type": "Sche')
  await expect(store.lookUp({ timeout })).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: `Cannot use what stands in "${store.paths.coordinator}": it is not a record of this program`,
  })
})

test('a record of another run is an error at once', async () => {
  const store = await joined()
  await writeFile(store.paths.coordinator, JSON.stringify(fileOf(ownerOf('x')).dask_hpc_runner))
  await expect(store.lookUp({ timeout })).rejects.toThrow('it is about run x, not about run k')
})

test('a record that was found to be dead is waited past', async () => {
  const store = await joined()
  await publishFile(store.paths.coordinator, JSON.stringify({ ...record, nonce: 'dead' }))
  const looking = store.lookUp({ timeout, except: new Set(['dead']) })
  await publishFile(store.paths.coordinator, JSON.stringify(record))
  expect(await looking).toEqual(found)
})

test('when nothing comes the error says what was awaited, where, how long, and what was there', async () => {
  const store = await joined()
  await mkdir(join(store.paths.runDirectory, 'something'))
  await writeFile(join(store.paths.runDirectory, 'exited-2.json'), '')
  await expect(store.lookUp({ timeout: 5_000 })).rejects.toMatchObject({
    code: 'ERR_TIMED_OUT',
    message:
      'Cannot find the cluster: waited 5 s for rank 0 to publish "coordinator.json" in ' +
      `"${store.paths.runDirectory}", where rank 2 had ended, and there was "something"`,
  })
})

test('a signal ends the wait with its reason', async () => {
  const store = await joined()
  const stop = new AbortController()
  const looking = store.lookUp({ timeout, signal: stop.signal })
  stop.abort(new Error('enough'))
  await expect(looking).rejects.toThrow('enough')
})
