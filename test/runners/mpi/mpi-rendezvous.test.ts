import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { RunContext } from '../../../src/identity/run-context.ts'
import { MpiRendezvous } from '../../../src/runners/mpi/mpi-rendezvous.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A rank that fails before the broadcast, whose helper process never ends by itself. */
function fail(hasWorld: boolean) {
  const never = new Promise<never>(() => undefined)
  const helper = {
    ...{ world: never, received: never, finalizing: never, finalized: never, exited: never },
    ...{ hasWorld, broadcast: vi.fn(), abort: vi.fn(), kill: vi.fn() },
  }
  const warn = vi.fn()
  const run = {
    options: { rendezvousTimeout: 60_000 },
    logger: { warn },
    identity: { rank: 2, size: 3 },
    signal: new AbortController().signal,
  } as unknown as RunContext
  const reaper = { expectDirectory: vi.fn(), addDirectory: vi.fn(), setLock: vi.fn() }
  const rendezvous = new MpiRendezvous(run, { helper, reaper, ownFile: true })
  const failure = { status: 70, message: 'it has failed', rank: 2, host: 'n2', last_lines: [] }
  return { helper, warn, left: rendezvous.leaveEarlyExit(failure) }
}

test('MPI_Abort comes a quarter of a second after its sentence, which a launcher may not have read else', async () => {
  const { helper, warn, left } = fail(true)
  await vi.advanceTimersByTimeAsync(249)
  expect(warn).toHaveBeenCalledWith('the other processes cannot be told, and are ended by MPI_Abort')
  expect(helper.abort).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(helper.abort).toHaveBeenCalledWith(70)
  await vi.advanceTimersByTimeAsync(1_999)
  expect(helper.kill).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  await left
  expect(helper.kill).toHaveBeenCalledOnce()
})

test('where the world is not there, nothing is aborted, and the helper ended at once', async () => {
  const { helper, warn, left } = fail(false)
  await left
  expect(helper.abort).not.toHaveBeenCalled()
  expect(helper.kill).toHaveBeenCalledOnce()
  expect(warn).not.toHaveBeenCalled()
})
