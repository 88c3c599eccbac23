import { basename, join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import type { RunContext } from '../../../src/identity/run-context.ts'
import { completeOptions } from '../../../src/options.ts'
import { FileRendezvous } from '../../../src/rendezvous/file/file-rendezvous.ts'
import type { FileStore } from '../../../src/rendezvous/file/file-store.ts'
import { monotonic } from '../../../src/util/monotonic.ts'
import { sleep } from '../../../src/util/wait.ts'
import { temporaryDirectory } from './support/directory.ts'
import { failureOf, notes, storeOf } from './support/run.ts'

/** How long each use of the run's directory takes, in milliseconds; and whether it takes for ever. */
const filesystem = vi.hoisted(() => ({ slowness: 0, hangs: false }))

vi.mock(import('../../../src/filesystem/private-directory.ts'), async (original) => {
  const { PrivateDirectory } = await original()
  return {
    PrivateDirectory: class extends PrivateDirectory {
      override async use<T>(work: (at: string) => Promise<T>): Promise<T> {
        // The relay of a host meets the others elsewhere.
        const isShared = basename(this.path).includes('.run-')
        if (isShared) await (filesystem.hangs ? new Promise(() => undefined) : sleep(filesystem.slowness))
        return await super.use(work)
      }
    },
  }
})

beforeEach(() => {
  Object.assign(filesystem, { slowness: 0, hangs: false })
})

const filesystemTimeout = 16_000
const none = (): undefined => undefined
const keeper = { expectDirectory: none, addDirectory: none, setLock: none }

async function rendezvousOf(rank: number, directory: string, slowness = 0): Promise<FileRendezvous> {
  const options = { ...completeOptions({ watch: 'poll', pollInterval: '20ms' }), filesystemTimeout }
  const runKey = { cluster: 'sim', jobId: '7', stepId: '0', restart: 0 }
  const identity = { rank, size: 4, host: 'node0', nodes: 1, share: { processes: 4 }, runKey, source: 'a test' }
  const { signal } = new AbortController()
  const run = { options, identity, schedulerFile: join(directory, 'F.json'), logger: notes(), signal }
  const rendezvous = new FileRendezvous(run as unknown as RunContext, { reaper: keeper })
  filesystem.slowness = slowness
  await rendezvous.prepare()
  return rendezvous
}

const outcome = failureOf('sim-7.0-r0')

test('all that a process does at its end takes no longer than one answer may, on a filesystem where each is just in time', async () => {
  const rendezvous = await rendezvousOf(1, temporaryDirectory())
  filesystem.slowness = 0.4 * filesystemTimeout
  const began = monotonic()
  // As a process does that has the client, and gives up a rank 0 that has ended.
  expect(await rendezvous.claimCause()).toBe(true)
  await rendezvous.leaveEarlyExit(outcome.failure)
  await rendezvous.isOver()
  await rendezvous.withdraw()
  expect(monotonic() - began).toBeLessThan(1.8 * filesystemTimeout)
})

test('a process whose start was slow has no less time for its end', async () => {
  const [directory, slowness] = [temporaryDirectory(), 0.35 * filesystemTimeout]
  const [first, second] = [await rendezvousOf(1, directory, slowness), await rendezvousOf(2, directory, slowness)]
  // A start uses the directory twice, and each use takes more than what would be left.
  expect(await first.claimCause()).toBe(true)
  expect(await second.claimCause()).toBe(false)
})

test('a rank 0 that ends alone does not wait for a filesystem that hangs since it has made its directory', async () => {
  const rendezvous = await rendezvousOf(0, temporaryDirectory())
  filesystem.hangs = true
  await rendezvous.endAlone(outcome)
})

test('a rank 0 whose shared filesystem hangs still tells those of its host that it has failed', async () => {
  const directory = temporaryDirectory()
  const open = async (rank: number): Promise<FileStore> => {
    const relay = { parent: directory, isRelay: rank === 0, reaper: keeper }
    const store = storeOf(join(directory, 'F.json'), 'k', { relay, me: { rank, node: 'node0' } })
    await store.prepare()
    return store
  }
  const [zero, one] = [await open(0), await open(1)]
  filesystem.hangs = true
  void zero.publishOutcome(failureOf('k'))
  expect(await one.lookUp({ timeout: 30_000 })).toEqual({ kind: 'outcome', outcome: failureOf('k') })
})
