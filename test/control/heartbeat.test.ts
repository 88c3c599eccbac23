import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LocalChannel } from '../../src/control/channel.ts'
import { HeartbeatMonitor, withHeartbeat } from '../../src/control/heartbeat.ts'

const lostAfter = 8_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'hrtime'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('HeartbeatMonitor', () => {
  it('beats at each interval, and finds nobody silent who is heard', () => {
    using monitor = new HeartbeatMonitor({ lostAfter })
    const [beat, silent] = [vi.fn(), vi.fn()]
    const heartbeat = monitor.watch(beat, silent)
    for (let i = 0; i < 40; i++) {
      vi.advanceTimersByTime(monitor.interval)
      heartbeat.heard()
    }
    expect(beat).toHaveBeenCalledTimes(40)
    expect(silent).not.toHaveBeenCalled()
  })

  it('tells of silence once, no sooner than its time and no later than two beats after it', () => {
    using monitor = new HeartbeatMonitor({ lostAfter })
    const silent = vi.fn()
    monitor.watch(vi.fn(), silent)
    vi.advanceTimersByTime(lostAfter)
    expect(silent).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2 * monitor.interval)
    expect(silent).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(lostAfter * 3)
    expect(silent).toHaveBeenCalledTimes(1)
  })

  it('begins its judgement afresh where it did not run itself', () => {
    let now = 0
    using monitor = new HeartbeatMonitor({ lostAfter, now: () => now })
    const silent = vi.fn()
    monitor.watch(vi.fn(), silent)
    // The job is suspended for ten minutes: the clock goes on, the timers do not.
    now += 600_000
    vi.advanceTimersByTime(monitor.interval)
    expect(silent).not.toHaveBeenCalled()
    for (let i = 0; i < 10; i++) {
      now += monitor.interval
      vi.advanceTimersByTime(monitor.interval)
    }
    expect(silent).toHaveBeenCalledTimes(1)
  })

  it('judges nobody whose watch was ended', () => {
    using monitor = new HeartbeatMonitor({ lostAfter })
    const silent = vi.fn()
    monitor.watch(vi.fn(), silent).stop()
    vi.advanceTimersByTime(lostAfter * 3)
    expect(silent).not.toHaveBeenCalled()
  })
})

interface Said {
  readonly type: string
}

describe('a channel with a pulse', () => {
  it('passes on everything but beats, and closes as silent where nothing is heard', async () => {
    using monitor = new HeartbeatMonitor({ lostAfter })
    const [mine, theirs] = LocalChannel.pair<Said, Said>()
    const channel = withHeartbeat<Said, Said>(mine, monitor)
    const heard: Said[] = []
    channel.onMessage((message) => heard.push(message))
    theirs.send({ type: 'heartbeat' })
    theirs.send({ type: 'word' })
    expect(heard).toEqual([{ type: 'word' }])
    vi.advanceTimersByTime(lostAfter + 2 * monitor.interval)
    expect(await channel.closed).toBe('silent')
  })

  it('stays open while something is heard in another way', () => {
    using monitor = new HeartbeatMonitor({ lostAfter })
    const [mine] = LocalChannel.pair<Said, Said>()
    const channel = withHeartbeat<Said, Said>(mine, monitor)
    const closed = vi.fn()
    void mine.closed.then(closed)
    for (let i = 0; i < 40; i++) {
      vi.advanceTimersByTime(monitor.interval)
      channel.heard()
    }
    expect(closed).not.toHaveBeenCalled()
  })
})
