import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deferred } from '../../src/util/deferred.ts'
import { deadline, settledWithin, sleep, untilAborted } from '../../src/util/wait.ts'

const late = () => new Error('too late')

describe('deadline', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('gives what the promise gives, and leaves no timer behind', async () => {
    expect(await deadline(Promise.resolve(3), 1000, late)).toBe(3)
    await expect(deadline(Promise.reject(new Error('broken')), 1000, late)).rejects.toThrow('broken')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('throws what late gives once the time is over, not before', async () => {
    const { promise } = deferred<number>()
    const seen = vi.fn()
    const waiting = deadline(promise, 1000, late).catch(seen)
    await vi.advanceTimersByTimeAsync(999)
    expect(seen).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    await waiting
    expect(seen).toHaveBeenCalledWith(new Error('too late'))
  })

  it('throws the reason of the signal as soon as it aborts, and forgets the signal', async () => {
    const { promise } = deferred<number>()
    const controller = new AbortController()
    const removed = vi.spyOn(controller.signal, 'removeEventListener')
    const waiting = deadline(promise, 1000, late, controller.signal)
    controller.abort(new Error('over'))
    await expect(waiting).rejects.toThrow('over')
    expect(removed).toHaveBeenCalledWith('abort', expect.any(Function))
    expect(vi.getTimerCount()).toBe(0)
    await expect(deadline(promise, 1000, late, controller.signal)).rejects.toThrow('over')
  })
})

describe('settledWithin', () => {
  it('tells a promise that settled, either way, from one that did not', async () => {
    const { promise } = deferred<number>()
    expect(await settledWithin(Promise.resolve(), 10_000)).toBe(true)
    expect(await settledWithin(Promise.reject(new Error('no')), 10_000)).toBe(true)
    expect(await settledWithin(promise, 1)).toBe(false)
  })

  it('leaves no timer behind that keeps the process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    await settledWithin(Promise.resolve(), 3_600_000)
    expect(timers()).toBe(before)
  })
})

describe('sleep', () => {
  it('throws the reason of the signal when it aborts before or meanwhile', async () => {
    const controller = new AbortController()
    const sleeping = sleep(3_600_000, controller.signal)
    controller.abort(new Error('woken'))
    await expect(sleeping).rejects.toThrow('woken')
    await expect(sleep(3_600_000, controller.signal)).rejects.toThrow('woken')
  })
})

describe('untilAborted', () => {
  it('alarms nobody with what the promise rejects with, where the signal has aborted before', async () => {
    const alarm = vi.fn()
    process.once('unhandledRejection', alarm)
    try {
      let reject: (error: Error) => void = () => undefined
      const promise = new Promise<never>((_, no) => (reject = no))
      const aborted = AbortSignal.abort(new Error('over'))
      await expect(untilAborted(promise, aborted)).rejects.toThrow('over')
      reject(new Error('not awaited'))
      await new Promise((next) => setImmediate(next))
      expect(alarm).not.toHaveBeenCalled()
    } finally {
      process.off('unhandledRejection', alarm)
    }
  })
})

describe('deferred', () => {
  it('settles as it is told, and a rejection that nobody awaits alarms nobody', async () => {
    const alarm = vi.fn()
    process.once('unhandledRejection', alarm)
    try {
      deferred<number>().reject(new Error('not awaited'))
      const settled = deferred<number>()
      settled.resolve(4)
      expect(await settled.promise).toBe(4)
      await new Promise((next) => setImmediate(next))
      expect(alarm).not.toHaveBeenCalled()
    } finally {
      process.off('unhandledRejection', alarm)
    }
  })
})
