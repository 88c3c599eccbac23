import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { connectHelper, patienceOf } from '../../src/client/connect-helper.ts'
import { findTarget } from '../../src/client/target.ts'
import { clientPatience } from '../../src/python/take-client-process.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const order = { address: 'tcp://10.0.0.1:8786', timeout: 1_000 }

/** A helper that takes so long to start and then to connect, in milliseconds. */
function helper(start: number, connect: number) {
  return {
    request: async (asked: { readonly order: string }, signal?: AbortSignal) => {
      await new Promise((resolve) => setTimeout(resolve, asked.order === 'ready' ? start : connect))
      signal?.throwIfAborted()
      return { ok: asked, buffers: [] }
    },
  }
}

test('a helper that takes long to start has its whole time to connect then', async () => {
  const connected = connectHelper(helper(45_000, 900), order)
  await vi.advanceTimersByTimeAsync(46_000)
  expect(await connected).toEqual({ order: 'connect', ...order })
})

test("connecting ends at its time limit, counted from the helper's start", async () => {
  const connected = connectHelper(helper(45_000, 2 ** 31 - 1), order).catch((error: unknown) => error)
  const settled = vi.fn()
  void connected.then(settled)
  // Dask's own word may come a little later than its limit.
  await vi.advanceTimersByTimeAsync(50_900)
  expect(settled).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(200)
  expect(await connected).toMatchObject({
    code: 'ERR_TIMED_OUT',
    message: 'Cannot connect to the scheduler at tcp://10.0.0.1:8786: it has not answered after 6 s',
  })
})

test('a helper that never comes to run is given up in a sentence of its own', async () => {
  const connected = connectHelper(helper(2 ** 31 - 1, 0), order).catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(301_000)
  expect(await connected).toMatchObject({
    code: 'ERR_TIMED_OUT',
    message: expect.stringMatching(/^Cannot start the Python of the client: it has not imported Dask after /) as string,
  })
})

test('a helper of a run has as long for its import as the rendezvous of that run', async () => {
  const connected = connectHelper(helper(400_000, 900), order, { patience: 500_000 })
  await vi.advanceTimersByTimeAsync(401_000)
  expect(await connected).toEqual({ order: 'connect', ...order })
})

test('a signal ends either wait', async () => {
  const stop = new AbortController()
  const connected = connectHelper(helper(45_000, 0), order, { signal: stop.signal }).catch((error: unknown) => error)
  stop.abort(new Error('enough'))
  expect(await connected).toMatchObject({ message: 'enough' })
})

const runner = { schedulerAddress: 'tcp://10.0.0.1:8786', [clientPatience]: 240_000 }
const connect = 'DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT'

test("a runner's client tries as long as the run's rendezvous may take, unless the user lets Dask's clients try for another time", async () => {
  const { patience } = await findTarget(runner, {})
  expect(patienceOf(patience, {})).toBe(240_000)
  expect(patienceOf(patience, { [connect]: '45s' })).toBe(45_000)
  // What Dask alone can read.
  expect(patienceOf(patience, { [connect]: '1 minute' })).toBe(240_000)
})

test('the client of a client program tries as long as its run lets it, another for 30 s', async () => {
  const { patience } = await findTarget('tcp://10.0.0.1:8786', {})
  expect(patienceOf(patience, { [connect]: '300s', DASK_HPC_RUNNER_N_WORKERS: '2' })).toBe(300_000)
  expect(patienceOf(patience, { [connect]: '300s' })).toBe('30s')
})
