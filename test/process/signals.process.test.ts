import { EventEmitter } from 'node:events'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { bearLateSignals, Signals } from '../../src/process/signals.ts'

/** Signals of a pretended process, with a clock that only the test moves. */
function pretended() {
  const source = new EventEmitter()
  const onEnding = vi.fn()
  const onUser = vi.fn()
  let now = 5_000
  const signals = new Signals({ onEnding, onUser }, source, () => now)
  const pass = (ms: number): void => void (now += ms)
  return { source, signals, onEnding, onUser, pass }
}

describe('Signals', () => {
  it('counts one signal that arrives several times within a second once', () => {
    const { source, onEnding, pass } = pretended()
    source.emit('SIGTERM')
    pass(500)
    source.emit('SIGTERM')
    pass(499)
    source.emit('SIGINT')
    expect(onEnding.mock.calls).toEqual([['SIGTERM', false]])
  })

  it('hands a later one on as `again`, whichever of the two it is', () => {
    const { source, onEnding, pass } = pretended()
    source.emit('SIGINT')
    pass(1000)
    source.emit('SIGTERM')
    pass(1000)
    source.emit('SIGTERM')
    expect(onEnding.mock.calls).toEqual([
      ['SIGINT', false],
      ['SIGTERM', true],
      ['SIGTERM', true],
    ])
  })

  it('counts one that comes late to this process as the same one, where the processes of its run hear of it one after the other', () => {
    bearLateSignals(2_000)
    onTestFinished(() => {
      bearLateSignals(0)
    })
    const { source, signals, onEnding, pass } = pretended()
    signals.ending('SIGTERM', { onEnding })
    pass(2_999)
    source.emit('SIGTERM')
    expect(onEnding).toHaveBeenCalledTimes(1)
    pass(1)
    source.emit('SIGTERM')
    expect(onEnding.mock.calls).toEqual([
      ['SIGTERM', false],
      ['SIGTERM', true],
    ])
  })

  it('measures the second from the signal that counted, so that a stream of them comes through', () => {
    const { source, onEnding, pass } = pretended()
    for (let i = 0; i < 5; i++) {
      source.emit('SIGTERM')
      pass(400)
    }
    expect(onEnding).toHaveBeenCalledTimes(2)
  })

  it('counts a signal that came to another process of the tree as the same one', () => {
    const { source, signals, onEnding, pass } = pretended()
    signals.ending('SIGTERM', { onEnding })
    pass(10)
    source.emit('SIGTERM')
    expect(onEnding.mock.calls).toEqual([['SIGTERM', false]])
  })

  it('hands USR1 and USR2 on, each once within a second, and neither ends anything', () => {
    const { source, onEnding, onUser, pass } = pretended()
    source.emit('SIGUSR1')
    source.emit('SIGUSR1')
    source.emit('SIGUSR2')
    pass(1000)
    source.emit('SIGUSR1')
    expect(onUser.mock.calls).toEqual([['SIGUSR1'], ['SIGUSR2'], ['SIGUSR1']])
    expect(onEnding).not.toHaveBeenCalled()
  })

  it('knows a signal that reached the whole tree, seen before or just after', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { signals, pass } = pretended()
    signals.sawInTree('SIGTERM')
    pass(300)
    expect(await signals.reachedAll('SIGTERM')).toBe(true)

    const later = signals.reachedAll('SIGUSR1')
    signals.sawInTree('SIGUSR1')
    await vi.advanceTimersByTimeAsync(1000)
    expect(await later).toBe(true)
  })

  it('knows a signal that came to the supervisor alone, an older or other one in the tree aside', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { signals, pass } = pretended()
    signals.sawInTree('SIGTERM')
    signals.sawInTree('SIGUSR1')
    pass(1000)
    signals.sawInTree('SIGINT')
    const reached = Promise.all([signals.reachedAll('SIGTERM'), signals.reachedAll('SIGUSR1')])
    await vi.advanceTimersByTimeAsync(1000)
    expect(await reached).toEqual([false, false])
  })

  it('listens from its making to its disposal', () => {
    const { source, signals, onEnding } = pretended()
    expect(source.eventNames().toSorted()).toEqual(['SIGCONT', 'SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'])
    signals[Symbol.dispose]()
    expect(source.eventNames()).toEqual([])
    source.emit('SIGTERM')
    expect(onEnding).not.toHaveBeenCalled()
  })

  it('touches no listener of another', () => {
    const { source, signals } = pretended()
    const other = vi.fn()
    source.on('SIGTERM', other)
    signals[Symbol.dispose]()
    source.emit('SIGTERM')
    expect(other).toHaveBeenCalledOnce()
  })
})
