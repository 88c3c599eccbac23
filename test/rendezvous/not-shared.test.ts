import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PrivateDirectory } from '../../src/filesystem/private-directory.ts'
import { lookUp, type LookUpOptions } from '../../src/rendezvous/look-up.ts'
import { notSharedError } from '../../src/rendezvous/not-shared.ts'
import type { WatchSeams } from '../../src/rendezvous/watch.ts'
import { temporaryDirectory } from './support/directory.ts'
import { notes, storeOf } from './support/run.ts'

test('a directory on a filesystem of a local kind is named, with what to do', async () => {
  expect((await notSharedError(temporaryDirectory(), 'node1'))?.message).toMatch(
    /^Cannot meet .* it is on a local filesystem of node1, and in 15 s none .* all nodes share$/,
  )
})

test('a filesystem that is not known to be local is not judged', async () => {
  expect(await notSharedError('/proc/self', 'node1')).toBeUndefined()
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
      list: () => Promise.resolve(['exited-2.json']),
      isLocal: () => Promise.resolve(true),
      subscribe: () => Promise.resolve(() => undefined),
      random: () => 0.5,
    },
  }
}

test('a process on another node than rank 0 says after 15 s, and not before, that it sees nothing', async () => {
  const { paths } = storeOf(join(temporaryDirectory(), 's.json'), 'k')
  await storeOf(paths.schedulerFile, 'k').prepare()
  const time = fakeTime()
  const options: LookUpOptions = {
    ...time,
    runKey: 'k',
    timeout: 300_000,
    interval: 1_000,
    intervalAlone: 1_000,
    mode: 'poll',
    farNode: 'node1',
    logger: notes(),
  }
  await expect(lookUp(new PrivateDirectory(paths.runDirectory), options)).rejects.toMatchObject({
    code: 'ERR_CANNOT_PUBLISH',
  })
  expect(time.now()).toBeGreaterThanOrEqual(15_000)
  expect(time.now()).toBeLessThan(17_000)
})
