import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ClusterRecord } from '../../../src/record/cluster-record.ts'
import type { OutcomeRecord } from '../../../src/record/outcome-record.ts'
import type { Found } from '../../../src/rendezvous/found.ts'
import { BroadcastStore } from '../../../src/runners/mpi/broadcast-store.ts'
import { deferred } from '../../../src/util/deferred.ts'

const record: ClusterRecord = {
  version: 1,
  run_key: 'openmpi-1.a-r0',
  nonce: 'n',
  host: 'n0',
  pid: 1,
  control: { addresses: ['192.0.2.1'], port: 9000, network: 'x' },
  secret: 's',
  n_workers: 2,
}
const outcome: OutcomeRecord = { version: 1, run_key: 'openmpi-1.a-r0' }
const coordinator: Found = { kind: 'coordinator', record }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A helper process whose reports the test makes. */
function fakeHelper() {
  const reports = {
    world: deferred<{ report: 'world'; rank: number; size: number }>(),
    received: deferred<{ report: 'received'; text: string }>(),
    finalizing: deferred<undefined>(),
    finalized: deferred<undefined>(),
    exited: deferred<undefined>(),
  }
  const helper = {
    world: reports.world.promise,
    received: reports.received.promise,
    finalizing: reports.finalizing.promise,
    finalized: reports.finalized.promise,
    exited: reports.exited.promise,
    broadcast: vi.fn(),
    kill: vi.fn(() => {
      reports.exited.resolve(undefined)
    }),
  }
  return { helper, ...reports }
}

function store(helper: ReturnType<typeof fakeHelper>['helper'], check: () => void = () => undefined) {
  const warn = vi.fn()
  const logger = { speaks: true, detail: () => undefined, info: () => undefined, warn, error: () => undefined }
  return { store: new BroadcastStore({ helper, check, size: 4, timeout: 60_000, logger }), warn }
}

const never = new AbortController().signal

test('broadcasts once all have come, and is over when MPI has been left', async () => {
  const { helper, world, received, finalizing, finalized, exited } = fakeHelper()
  const mine = store(helper).store
  const announced = mine.announce(record, never)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(helper.broadcast).not.toHaveBeenCalled()
  world.resolve({ report: 'world', rank: 0, size: 4 })
  await vi.advanceTimersByTimeAsync(0)
  expect(JSON.parse(String(helper.broadcast.mock.calls[0]?.[0]))).toEqual(coordinator)
  received.resolve({ report: 'received', text: JSON.stringify(coordinator) })
  finalizing.resolve(undefined)
  await vi.advanceTimersByTimeAsync(0)
  finalized.resolve(undefined)
  exited.resolve(undefined)
  await announced
  expect(mine.isOver).toBe(true)
  expect(helper.kill).not.toHaveBeenCalled()
})

test('gives up an MPI_Finalize that does not return, and goes on', async () => {
  const { helper, world, received, finalizing } = fakeHelper()
  const { store: mine, warn } = store(helper)
  const found = mine.lookUp(never)
  world.resolve({ report: 'world', rank: 1, size: 4 })
  received.resolve({ report: 'received', text: JSON.stringify(coordinator) })
  finalizing.resolve(undefined)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(await found).toEqual(coordinator)
  expect(helper.kill).toHaveBeenCalledOnce()
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('MPI_Finalize did not return'))
})

test('ends a process that has left MPI and does not end by itself', async () => {
  const { helper, world, received, finalizing, finalized } = fakeHelper()
  const { store: mine, warn } = store(helper)
  const found = mine.lookUp(never)
  world.resolve({ report: 'world', rank: 1, size: 4 })
  received.resolve({ report: 'received', text: JSON.stringify(coordinator) })
  for (const each of [finalizing, finalized]) each.resolve(undefined)
  await vi.advanceTimersByTimeAsync(4_999)
  expect(helper.kill).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(await found).toEqual(coordinator)
  expect(helper.kill).toHaveBeenCalledOnce()
  expect(warn).not.toHaveBeenCalled()
})

test('gives nothing to a world that is not the run', async () => {
  const { helper, world } = fakeHelper()
  const mine = store(helper, () => {
    throw new Error('another world')
  }).store
  world.resolve({ report: 'world', rank: 0, size: 1 })
  await expect(mine.announce(record, never)).rejects.toThrow('another world')
  expect(helper.broadcast).not.toHaveBeenCalled()
})

test('waits for the last rank until its deadline, and says for what', async () => {
  const { helper } = fakeHelper()
  const waiting = expect(store(helper).store.lookUp(never)).rejects.toMatchObject({
    code: 'ERR_TIMED_OUT',
    message: expect.stringContaining('not all of the 4 processes had called MPI_Init') as string,
  })
  await vi.advanceTimersByTimeAsync(60_000)
  await waiting
})

test('counts the time from the beginning, and not anew for each part', async () => {
  const { helper, world } = fakeHelper()
  const waiting = expect(store(helper).store.lookUp(never)).rejects.toThrow('rank 0 had not broadcast')
  await vi.advanceTimersByTimeAsync(40_000)
  world.resolve({ report: 'world', rank: 1, size: 4 })
  await vi.advanceTimersByTimeAsync(20_000)
  await waiting
})

test('ends its wait when it is told to', async () => {
  const { helper } = fakeHelper()
  const end = new AbortController()
  const waiting = expect(store(helper).store.lookUp(end.signal)).rejects.toThrow('told to end')
  end.abort(new Error('told to end'))
  await waiting
})

test('a failed run waits but seconds for those who have not come, and says whether they were told', async () => {
  const { helper } = fakeHelper()
  const told = store(helper).store.publishOutcome(outcome)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(await told).toBe(false)
})

test('a run that fails before all have come gives them its failure in place of the address', async () => {
  const { helper, world, received, finalizing, finalized, exited } = fakeHelper()
  const mine = store(helper).store
  const aborted = new AbortController()
  const announced = expect(mine.announce(record, aborted.signal)).rejects.toThrow('the scheduler has failed')
  aborted.abort(new Error('the scheduler has failed'))
  await announced
  const told = mine.publishOutcome(outcome)
  world.resolve({ report: 'world', rank: 0, size: 4 })
  await vi.advanceTimersByTimeAsync(0)
  expect(helper.broadcast.mock.calls).toEqual([[JSON.stringify({ kind: 'outcome', outcome })]])
  received.resolve({ report: 'received', text: '' })
  for (const each of [finalizing, finalized, exited]) each.resolve(undefined)
  expect(await told).toBe(true)
})

test('a run that fails while they are given the address waits until they have it, but seconds', async () => {
  const { helper, world, received, finalizing, finalized, exited } = fakeHelper()
  const mine = store(helper).store
  void mine.announce(record, never)
  world.resolve({ report: 'world', rank: 0, size: 4 })
  await vi.advanceTimersByTimeAsync(0)
  const late = mine.publishOutcome(outcome)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(await late).toBe(false)
  const told = mine.publishOutcome(outcome)
  received.resolve({ report: 'received', text: JSON.stringify(coordinator) })
  for (const each of [finalizing, finalized, exited]) each.resolve(undefined)
  expect(await told).toBe(true)
  expect(helper.broadcast).toHaveBeenCalledOnce()
})

test('gives the failure that rank 0 has broadcast', async () => {
  const { helper, world, received, finalizing, finalized, exited } = fakeHelper()
  const found = store(helper).store.lookUp(never)
  world.resolve({ report: 'world', rank: 1, size: 4 })
  received.resolve({ report: 'received', text: JSON.stringify({ kind: 'outcome', outcome }) })
  for (const each of [finalizing, finalized, exited]) each.resolve(undefined)
  expect(await found).toEqual({ kind: 'outcome', outcome })
})
