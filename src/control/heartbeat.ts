import { monotonic } from '../util/monotonic.ts'
import type { Channel } from './channel.ts'

/** How long silence lasts until somebody counts as lost, and the clock that measures it. */
export interface HeartbeatOptions {
  /** Milliseconds. */
  readonly lostAfter: number
  /** Milliseconds from any fixed moment. @default monotonic */
  readonly now?: () => number
}

interface WatchedChannel {
  readonly send: () => void
  readonly onSilence: () => void
  heardAt: number
}

/** Somebody who is listened to. */
export interface Heartbeat {
  /** Something was heard. */
  heard(): void
  /** Sends no more heartbeats, and no longer expects any. */
  stop(): void
}

/** Heartbeats in the time of silence after which somebody counts as lost. */
const heartbeatsPerSilence = 8

const [shortestIntervalMs, longestIntervalMs] = [20, 2_500]

/**
 * Sends heartbeats, and finds out who is silent. If this process itself did not run, as in a job that
 * was suspended or while its loop was busy, it has heard nobody and begins anew.
 */
export class HeartbeatMonitor implements Disposable {
  readonly #lostAfter: number
  readonly #now: () => number
  readonly #interval: number
  readonly #watched = new Set<WatchedChannel>()
  readonly #timer: NodeJS.Timeout
  #lastTick: number

  constructor({ lostAfter, now = monotonic }: HeartbeatOptions) {
    this.#lostAfter = lostAfter
    this.#now = now
    this.#interval = Math.min(longestIntervalMs, Math.max(shortestIntervalMs, lostAfter / heartbeatsPerSilence))
    this.#lastTick = now()
    this.#timer = setInterval(() => {
      this.#tick()
    }, this.#interval)
    this.#timer.unref()
  }

  /** Milliseconds between two heartbeats. */
  get interval(): number {
    return this.#interval
  }

  /** Calls `send` at each interval, and `onSilence` once when nothing was heard for too long. */
  watch(send: () => void, onSilence: () => void): Heartbeat {
    const watched: WatchedChannel = { send, onSilence, heardAt: this.#now() }
    this.#watched.add(watched)
    return {
      heard: () => {
        watched.heardAt = this.#now()
      },
      stop: () => {
        this.#watched.delete(watched)
      },
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#watched.clear()
  }

  #tick(): void {
    const now = this.#now()
    const didNotRun = now - this.#lastTick > 2 * this.#interval
    this.#lastTick = now
    for (const watched of [...this.#watched]) {
      watched.send()
      if (didNotRun) watched.heardAt = now
      else if (now - watched.heardAt > this.#lostAfter) {
        this.#watched.delete(watched)
        watched.onSilence()
      }
    }
  }
}

interface HeartbeatMessage {
  readonly type: 'heartbeat'
}

/** A channel with heartbeats. */
export interface HeartbeatChannel<In, Out> extends Channel<In, Out> {
  /** The other end was heard in another way. */
  heard(): void
}

/**
 * A channel with heartbeats in both directions, which are not passed on. If the other end stays silent, the channel
 * closes as `silent`: there is no other way in which silence is noticed. That takes up to one interval longer than `lostAfter`.
 * A connection that closes is noticed at once, without this.
 *
 * @param onHeard called whenever the other end is heard
 */
export function withHeartbeat<In extends { readonly type: string }, Out>(
  channel: Channel<In, Out | HeartbeatMessage>,
  monitor: HeartbeatMonitor,
  onHeard: () => void = () => undefined,
): HeartbeatChannel<In, Out> {
  let silence!: (how: 'silent') => void
  const silent = new Promise<'silent'>((resolve) => {
    silence = resolve
  })
  const heartbeat = monitor.watch(
    () => {
      channel.send({ type: 'heartbeat' })
    },
    () => {
      silence('silent')
      channel.destroy()
    },
  )
  void channel.closed.then(() => {
    heartbeat.stop()
  })
  return {
    heard: () => {
      heartbeat.heard()
    },
    closed: Promise.race([silent, channel.closed]),
    send: (message) => {
      channel.send(message)
    },
    onMessage: (listener) => {
      channel.onMessage((message) => {
        heartbeat.heard()
        onHeard()
        if (message.type !== 'heartbeat') listener(message)
      })
    },
    end: () => {
      heartbeat.stop()
      channel.end()
    },
    destroy: () => {
      channel.destroy()
    },
    unref: () => {
      channel.unref()
    },
  }
}
