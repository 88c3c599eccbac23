import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { localLine } from '../../src/control/channel.ts'
import { Pulse, withPulse } from '../../src/control/heartbeat.ts'

const lostAfter = 8_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'hrtime'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('Pulse', () => {
  it('beats at each interval, and finds nobody silent who is heard', () => {
    using pulse = new Pulse({ lostAfter })
    const [beat, silent] = [vi.fn(), vi.fn()]
    const heartbeat = pulse.watch(beat, silent)
    for (let i = 0; i < 40; i++) {
      vi.advanceTimersByTime(pulse.interval)
      heartbeat.heard()
    }
    expect(beat).toHaveBeenCalledTimes(40)
    expect(silent).not.toHaveBeenCalled()
  })

  it('tells of silence once, no sooner than its time and no later than two beats after it', () => {
    using pulse = new Pulse({ lostAfter })
    const silent = vi.fn()
    pulse.watch(vi.fn(), silent)
    vi.advanceTimersByTime(lostAfter)
    expect(silent).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2 * pulse.interval)
    expect(silent).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(lostAfter * 3)
    expect(silent).toHaveBeenCalledTimes(1)
  })

  it('begins its judgement afresh where it did not run itself', () => {
    let now = 0
    using pulse = new Pulse({ lostAfter, now: () => now })
    const silent = vi.fn()
    pulse.watch(vi.fn(), silent)
    // The job is suspended for ten minutes: the clock goes on, the timers do not.
    now += 600_000
    vi.advanceTimersByTime(pulse.interval)
    expect(silent).not.toHaveBeenCalled()
    for (let i = 0; i < 10; i++) {
      now += pulse.interval
      vi.advanceTimersByTime(pulse.interval)
    }
    expect(silent).toHaveBeenCalledTimes(1)
  })

  it('judges nobody whose watch was ended', () => {
    using pulse = new Pulse({ lostAfter })
    const silent = vi.fn()
    pulse.watch(vi.fn(), silent).stop()
    vi.advanceTimersByTime(lostAfter * 3)
    expect(silent).not.toHaveBeenCalled()
  })
})

interface Said {
  readonly type: string
}

describe('a line with a pulse', () => {
  it('passes on everything but beats, and closes as silent where nothing is heard', async () => {
    using pulse = new Pulse({ lostAfter })
    const [mine, theirs] = localLine<Said, Said>()
    const line = withPulse<Said, Said>(mine, pulse)
    const heard: Said[] = []
    line.onMessage((message) => heard.push(message))
    theirs.send({ type: 'beat' })
    theirs.send({ type: 'word' })
    expect(heard).toEqual([{ type: 'word' }])
    vi.advanceTimersByTime(lostAfter + 2 * pulse.interval)
    expect(await line.closed).toBe('silent')
  })

  it('stays open while something is heard in another way', () => {
    using pulse = new Pulse({ lostAfter })
    const [mine] = localLine<Said, Said>()
    const line = withPulse<Said, Said>(mine, pulse)
    const closed = vi.fn()
    void mine.closed.then(closed)
    for (let i = 0; i < 40; i++) {
      vi.advanceTimersByTime(pulse.interval)
      line.heard()
    }
    expect(closed).not.toHaveBeenCalled()
  })
})
