import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PrivateDirectory } from '../../../src/filesystem/private-directory.ts'
import { lookUp, type LookUpOptions } from '../../../src/rendezvous/file/look-up.ts'
import type { FileStore } from '../../../src/rendezvous/file/file-store.ts'
import { notSharedError } from '../../../src/rendezvous/file/not-shared.ts'
import type { WatchSeams } from '../../../src/rendezvous/file/watch.ts'
import { messageOf } from '../../../src/errors.ts'
import { patient, until } from '../../support/until.ts'
import { temporaryDirectory } from './support/directory.ts'
import { failureOf, fileOf, notes, ownerOf, storeOf } from './support/run.ts'

test('a directory on a filesystem of a local kind is named, with what to do', async () => {
  expect((await notSharedError(temporaryDirectory(), 'node1'))?.message).toMatch(
    /^Cannot meet .* it is on a local filesystem of node1, and in 15 s none .* all nodes share$/,
  )
})

test('a filesystem that is not known to be local is not judged', async () => {
  expect(await notSharedError('/proc/self', 'node1')).toBeUndefined()
})

/** A watch in which time passes only by its own sleeps. */
function fakeTime(list: WatchSeams['list']): { readonly seams: WatchSeams; readonly now: () => number } {
  let time = 0
  const sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
    // The deadline of the whole watch.
    const at = time + ms
    if (ms > 50_000) while (time < at && !signal.aborted) await new Promise((next) => setImmediate(next))
    else time += ms
    await new Promise((next) => setImmediate(next))
  }
  return {
    now: () => time,
    seams: {
      sleep,
      list,
      isLocal: () => Promise.resolve(true),
      subscribe: () => Promise.resolve(() => undefined),
      random: () => 0.5,
    },
  }
}

/** Waits as a process of node1, while the directory shows those names beside its own. */
async function waitWith(others: readonly string[], timeout: number): Promise<{ error: unknown; time: number }> {
  const { paths } = storeOf(join(temporaryDirectory(), 's.json'), 'k')
  await storeOf(paths.schedulerFile, 'k').prepare()
  const directory = new PrivateDirectory(paths.runDirectory)
  const time = fakeTime(async () => [...others, ...(await directory.list())])
  const options: LookUpOptions = {
    ...{ ...time, runKey: 'k', timeout, interval: 1_000, intervalAlone: 1_000, mode: 'poll', farNode: 'node1' },
    ...{ logger: notes(), filesystemTimeout: 25_000, relay: undefined },
  }
  const error = await lookUp(directory, options).catch((why: unknown) => why)
  expect(await directory.list()).toEqual(['waits-node1'])
  return { error, time: time.now() }
}

test('a process on another node than rank 0 says after 15 s, and not before, that it sees nothing', async () => {
  const { error, time } = await waitWith(['exited-2.json'], 300_000)
  expect(error).toMatchObject({ code: 'ERR_CANNOT_PUBLISH' })
  expect(time).toBeGreaterThanOrEqual(15_000)
  expect(time).toBeLessThan(17_000)
})

test('a directory in which processes of another node wait is shared, and rank 0 is late', async () => {
  const { error } = await waitWith(['waits-node2'], 60_000)
  expect(error).toMatchObject({ code: 'ERR_TIMED_OUT' })
})

/** Rank 0 of a run of four nodes, and the process of rank 1 on node1. */
async function twoNodes(): Promise<{ readonly rank0: FileStore; readonly rank1: FileStore }> {
  const rank0 = storeOf(join(temporaryDirectory(), 's.json'), 'k')
  const rank1 = storeOf(rank0.paths.schedulerFile, 'k', { me: { rank: 1, node: 'node1' }, isFar: true })
  for (const each of [rank0, rank1]) await each.prepare()
  return { rank0, rank1 }
}

test('rank 0 whose directory no other node has used says so', async () => {
  const { rank0 } = await twoNodes()
  expect((await rank0.notSharedError())?.message).toContain('none of them has come there')
})

test('a process that finds rank 0 and cannot connect to it shows it that the directory is shared', async () => {
  const { rank0, rank1 } = await twoNodes()
  const record = fileOf(ownerOf('k')).dask_hpc_runner
  await rank0.announce(record, { publishes: true })
  await rank1.lookUp({ timeout: 10_000 })
  expect(await rank0.notSharedError()).toBeDefined()
  const enough = new AbortController()
  const waits = rank1.lookUp({ timeout: patient, except: new Set([record.nonce]), signal: enough.signal })
  await until(
    async () => await rank0.notSharedError(),
    (error) => error === undefined,
    { what: 'the directory is known to be shared', say: (error) => messageOf(error) },
  )
  enough.abort(new Error('enough'))
  await expect(waits).rejects.toThrow('enough')
})

test.each([
  ['of another node shows that the directory is shared', 'node1', undefined],
  ["of rank 0's node shows nothing", 'node0', { code: 'ERR_CANNOT_PUBLISH' }],
])('a process %s by leaving word of its end', async (_, host, expected) => {
  const { rank0, rank1 } = await twoNodes()
  const { failure } = failureOf('k')
  await rank1.leaveEarlyExit(failure && { ...failure, rank: 1, host })
  const error = await rank0.notSharedError()
  if (expected === undefined) expect(error).toBeUndefined()
  else expect(error).toMatchObject(expected)
})
