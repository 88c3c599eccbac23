import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { EndingSignal } from '../../src/util/early-signals.ts'
import { completeOptions } from '../../src/options.ts'
import type { Reaper } from '../../src/process/reaper.ts'
import { realRunSeams } from '../../src/run/seams.ts'
import { Shutdown, type ShutdownTarget } from '../../src/run/shutdown.ts'
import { Supervisor } from '../../src/run/supervisor.ts'

const terminal = vi.hoisted(() => ({ isThere: false }))
vi.mock('node:tty', () => ({ isatty: () => terminal.isThere }))

/** A process of a run with `--grace 60s`, whose client program does not end by itself. */
function process() {
  const source = new EventEmitter()
  const kill = vi.fn()
  let sawInTree: (signal: NodeJS.Signals) => void = vi.fn()
  const reaper = { onSignal: (listener: typeof sawInTree) => (sawInTree = listener) } as unknown as Reaper
  const client = { exited: new Promise(() => undefined), signal: vi.fn(), kill: vi.fn() }
  const seams = { ...realRunSeams, signals: source, makeReaper: () => reaper }
  const supervisor = new Supervisor(completeOptions({ grace: 60_000, env: {} }), seams)
  supervisor.logger = { speaks: true, detail: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() }
  supervisor.moveTo('running')
  const never = new Promise(() => undefined)
  const member = { send: vi.fn(), terminated: never, forced: never }
  const context = { identity: { rank: 1 }, roles: [['scheduler'], ['client']] }
  new Shutdown(supervisor).serve({
    context,
    mine: ['client'],
    components: { client, kill },
    member,
  } as unknown as ShutdownTarget)
  const toMe = (signal: EndingSignal): void => void source.emit(signal)
  const toAll = (signal: EndingSignal): void => {
    sawInTree(signal)
    toMe(signal)
  }
  return { source, toMe, toAll, kill, client }
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance', 'hrtime'],
  })
})
afterEach(() => {
  vi.useRealTimers()
  terminal.isThere = false
})

describe('a program that asks on INT whether it was meant', () => {
  it('gets TERM after two thirds of its time at a terminal, where nobody may answer', async () => {
    terminal.isThere = true
    const { toMe, client } = process()
    toMe('SIGINT')
    await pass(36_000)
    expect(client.signal.mock.calls).toEqual([['SIGINT']])
    await pass(2_000)
    expect(client.signal.mock.calls).toEqual([['SIGINT'], ['SIGTERM']])
    await pass(16_000)
    expect(client.kill).not.toHaveBeenCalled()
    await pass(2_000)
    expect(client.kill).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['elsewhere', false, 'SIGINT'],
    ['on TERM', true, 'SIGTERM'],
  ] as const)('has all of its time %s', async (_, isThere, signal) => {
    terminal.isThere = isThere
    const { toMe, client } = process()
    toMe(signal)
    await pass(54_000)
    expect(client.signal.mock.calls).toEqual([[signal]])
    expect(client.kill).not.toHaveBeenCalled()
    await pass(2_000)
    expect(client.kill).toHaveBeenCalledTimes(1)
  })
})

describe('a second signal', () => {
  it('ends all at once where it came to this process alone', async () => {
    const { toMe, kill } = process()
    toMe('SIGTERM')
    await pass(5_000)
    toMe('SIGTERM')
    await pass(500)
    expect(kill).toHaveBeenCalledTimes(1)
  })

  it('ends nothing where a TERM came to all processes once more, as at the end of a GraceTime', async () => {
    const { toAll, kill } = process()
    toAll('SIGTERM')
    await pass(24_000)
    for (let time = 0; time < 2; time++) {
      toAll('SIGTERM')
      await pass(1_500)
    }
    expect(kill).not.toHaveBeenCalled()
    await pass(40_000)
    toAll('SIGTERM')
    await pass(500)
    expect(kill).toHaveBeenCalledTimes(1)
  })

  it('ends nothing where a TERM came with a CONT once more, to this process alone', async () => {
    const { source, toMe, kill } = process()
    for (let time = 0; time < 2; time++) {
      source.emit('SIGCONT')
      toMe('SIGTERM')
      await pass(24_000)
    }
    expect(kill).not.toHaveBeenCalled()
  })

  it.each(['SIGINT', 'SIGHUP'] as const)('ends all at once where it is %s, whoever else has got it', async (signal) => {
    const { toAll, kill } = process()
    toAll(signal)
    await pass(2_000)
    toAll(signal)
    await pass(500)
    expect(kill).toHaveBeenCalledTimes(1)
  })

  it('ends all at once where it is another than the first', async () => {
    const { toAll, kill } = process()
    toAll('SIGINT')
    await pass(2_000)
    toAll('SIGTERM')
    await pass(500)
    expect(kill).toHaveBeenCalledTimes(1)
  })
})
