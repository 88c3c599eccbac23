import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PrivateDirectory } from '../../src/filesystem/private-directory.ts'
import { leaveDeparture } from '../../src/rendezvous/departures.ts'
import { lookUp, type LookUpOptions } from '../../src/rendezvous/look-up.ts'
import { leavePresence, lonelyError, readPresences, showsOnly } from '../../src/rendezvous/presence.ts'
import type { WatchSeams } from '../../src/rendezvous/watch.ts'
import { temporaryDirectory } from './support/directory.ts'
import { notes, storeOf } from './support/run.ts'

test('processes of one node are told from those of several', () => {
  expect(showsOnly('node1', ['here-1.node1', 'here-5.node1', 'gone-3', 'record.json'])).toBe(true)
  expect(showsOnly('node1', ['here-1.node1', 'here-2.node10'])).toBe(false)
  expect(showsOnly('a node', ['here-1.a_node'])).toBe(true)
})

test('a directory that only one node sees is named, with what to do', async () => {
  const directory = new PrivateDirectory(temporaryDirectory())
  await leavePresence(directory, { rank: 1, node: 'node1' })
  expect((await lonelyError(directory, 'node1'))?.message).toMatch(
    /^Cannot meet .* it is on a local filesystem of node1, and in 15 s none .* all nodes share$/,
  )
})

test('a directory that another node sees too is shared, local filesystem or not', async () => {
  const directory = new PrivateDirectory(temporaryDirectory())
  await leavePresence(directory, { rank: 1, node: 'node1' })
  await leavePresence(directory, { rank: 2, node: 'node2' })
  expect(await lonelyError(directory, 'node1')).toBeUndefined()
})

test('those who have come are told from other names', async () => {
  const directory = new PrivateDirectory(temporaryDirectory())
  await leavePresence(directory, { rank: 12, node: 'a node' })
  await leaveDeparture(directory, 3)
  expect(await readPresences(directory)).toEqual([12])
  expect(await readPresences(new PrivateDirectory(join(directory.path, 'none')))).toEqual([])
})

test('a filesystem that is not known to be local is not judged', async () => {
  expect(await lonelyError(new PrivateDirectory('/proc/self'), 'node1', ['here-1.node1'])).toBeUndefined()
})

/** A watch in which time passes only by its own sleeps. */
function fakeTime(): { readonly seams: WatchSeams; readonly now: () => number } {
  let time = 0
  const sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
    // The deadline of the whole watch never comes; its signal ends it.
    if (ms > 100_000) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    else time += ms
    await new Promise((next) => setImmediate(next))
  }
  return {
    now: () => time,
    seams: {
      sleep,
      list: () => Promise.resolve(['here-1.node1']),
      isLocal: () => Promise.resolve(true),
      subscribe: () => Promise.resolve(() => undefined),
      random: () => 0.5,
    },
  }
}

test('a waiter is lonely after 15 s, and not before', async () => {
  const { paths } = storeOf(join(temporaryDirectory(), 's.json'), 'k')
  await storeOf(paths.schedulerFile, 'k').join()
  const time = fakeTime()
  const options: LookUpOptions = {
    ...time,
    runKey: 'k',
    timeout: 300_000,
    interval: 1_000,
    intervalAlone: 1_000,
    mode: 'poll',
    node: 'node1',
    logger: notes(),
  }
  await expect(lookUp(new PrivateDirectory(paths.runDirectory), options)).rejects.toMatchObject({
    code: 'ERR_CANNOT_PUBLISH',
  })
  expect(time.now()).toBeGreaterThanOrEqual(15_000)
  expect(time.now()).toBeLessThan(17_000)
})
