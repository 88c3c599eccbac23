import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { RunContext } from '../../src/identity/run-context.ts'
import { Recorder, type RunEvent } from '../../src/run/recorder.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const worker = { host: '10.0.0.2', nthreads: 2, memory_limit: 1_000, status: 'running' }

/** A run of a scheduler, a client and two workers, whose scheduler tells of `workers`. */
function make() {
  const workers: Record<string, unknown> = {}
  const dispose = vi.fn()
  const client = {
    identity: async () => await Promise.resolve({ workers: structuredClone(workers) }),
    taskCounts: async () => await Promise.resolve({ now: {}, ever: { memory: 3 } }),
  }
  const run = {
    options: { scheduler: true, nworkers: 1, workersPerCommand: 1, lostAfter: 20_000, env: {} },
    identity: { runKey: { cluster: 'c', jobId: '1', stepId: '0', restart: 0 } },
    roles: [['scheduler'], ['client'], ['worker'], ['worker']],
  } as unknown as RunContext
  const connectScheduler = () => ({
    call: async <T>(work: (of: never) => Promise<T>) => await work(client as never),
    [Symbol.dispose]: dispose,
  })
  const recorder = new Recorder(run, { connectScheduler }, new Date())
  const tell = async (ms: number, ...events: readonly RunEvent[]): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms)
    for (const event of events) recorder.observe(event)
    await vi.advanceTimersByTimeAsync(0)
  }
  return { recorder, workers, tell, dispose }
}

const failure = { status: 69, message: 'Lost rank 2', rank: 2, host: 'node2', last_lines: [] }
const schedulerRuns: RunEvent = { type: 'scheduler', address: 'tcp://10.0.0.1:8786', versions: undefined }

it('keeps when each rank came and ended, and why', async () => {
  const { recorder, tell } = make()
  await tell(100, ...[0, 1, 2].map((rank) => ({ type: 'came', rank, host: `node${rank}` }) as const))
  await tell(900, { type: 'heard', rank: 2, message: { type: 'worker-started', name: '2' } })
  await tell(1_000, { type: 'lost', rank: 2, how: 'silent' }, { type: 'departed', exit: { rank: 3, failure } })
  await tell(1_000, { type: 'heard', rank: 1, message: { type: 'done' } })
  // What closes then is no loss.
  await tell(1_000, { type: 'lost', rank: 1, how: 'closed' })
  const why = 'nothing was heard of it for 20 s: it is frozen, or its host or its network is gone'
  expect(recorder.recording.ranks).toEqual([
    { rank: 0, roles: ['scheduler'], host: 'node0', came: 0.1, up: null, ended: null },
    { rank: 1, roles: ['client'], host: 'node1', came: 0.1, up: null, ended: 3 },
    { rank: 2, roles: ['worker'], host: 'node2', came: 0.1, up: 1, ended: 2, why },
    { rank: 3, roles: ['worker'], host: 'node2', came: null, up: null, ended: 2, why: 'Lost rank 2' },
  ])
})

it('samples from the scheduler on, once more at the end, and not after it', async () => {
  const { recorder, workers, tell, dispose } = make()
  await tell(0, { type: 'came', rank: 2, host: 'node2' })
  workers['tcp://10.0.0.2:1'] = { ...worker, id: 2, metrics: { memory: 500, cpu: 100 } }
  await tell(1_000, schedulerRuns)
  workers['tcp://10.0.0.2:1'] = { ...worker, id: 2, metrics: { memory: 300, cpu: 190 } }
  await tell(2_000)
  workers['tcp://10.0.0.2:2'] = { ...worker, id: 'stranger', memory_limit: 0 }
  await tell(500, { type: 'decided', decision: { do: 'end', result: { status: 69, forced: false, failure } } })
  await tell(60_000)
  recorder[Symbol.dispose]()
  const { samples, workers_seen, events } = recorder.recording
  expect(samples).toMatchObject({ taken: 3, at: [1, 3, 3.5] })
  expect(samples.cluster.memory).toEqual({ mean: [500, 300, 300] })
  expect(samples.hosts.map(({ host }) => host)).toEqual(['node2', '10.0.0.2'])
  expect(workers_seen).toMatchObject([
    { name: '2', host: 'node2', memory: 500, cpu: 1.9, memory_limit: 1_000, first_seen: 1, last_seen: 3.5 },
    { name: 'stranger', host: '10.0.0.2', memory: null, memory_limit: null, first_seen: 3.5 },
  ])
  expect(events).toEqual([
    { at: 1, level: 'info', text: 'The scheduler runs at tcp://10.0.0.1:8786' },
    { at: 3.5, level: 'error', text: 'Lost rank 2' },
  ])
  expect(dispose).toHaveBeenCalledTimes(1)
  expect(vi.getTimerCount()).toBe(0)
})

it('keeps the first and the last of many events, and of many workers how many there were', async () => {
  const { recorder, workers, tell } = make()
  for (let i = 0; i < 10_005; i++) workers[`tcp://10.0.0.2:${i}`] = { ...worker, id: `w${i}` }
  await tell(0, schedulerRuns)
  const warn = (message: string): RunEvent => ({ type: 'decided', decision: { do: 'warn', message } })
  await tell(0, ...Array.from({ length: 1_000 }, (_, i) => warn(`event ${i}`)))
  const { events, events_left_out, workers_seen, workers_left_out } = recorder.recording
  expect(events.length + events_left_out).toBe(1_001)
  expect([events[1]?.text, events.at(-1)?.text]).toEqual(['event 0', 'event 999'])
  expect(events.length).toBe(400)
  expect([workers_seen.length, workers_left_out]).toEqual([10_000, 5])
})
