import { monotonic } from '../util/monotonic.ts'
import type { Line } from './channel.ts'

/** How long silence lasts until somebody counts as lost, and the clock that measures it. */
export interface PulseOptions {
  /** Milliseconds. */
  readonly lostAfter: number
  /** Milliseconds from any fixed moment. @default monotonic */
  readonly now?: () => number
}

interface Watched {
  readonly beat: () => void
  readonly onSilence: () => void
  heardAt: number
}

/** What somebody who is listened to is known by. */
export interface Heartbeat {
  /** Something was heard. */
  heard(): void
  /** Ends the beats, and the judgement. */
  stop(): void
}

/** Beats in the time of silence after which somebody counts as lost. */
const beatsPerSilence = 8

/** Least and most time between two beats, in milliseconds. */
const [shortestBeat, longestBeat] = [20, 2_500]

/**
 * Sends heartbeats, and judges who is silent. Where this process itself did not run, as in a job that
 * was suspended or while its loop was busy, it has heard nobody and begins its judgement afresh.
 */
export class Pulse implements Disposable {
  readonly #lostAfter: number
  readonly #now: () => number
  readonly #interval: number
  readonly #watched = new Set<Watched>()
  readonly #timer: NodeJS.Timeout
  #lastTick: number

  constructor({ lostAfter, now = monotonic }: PulseOptions) {
    this.#lostAfter = lostAfter
    this.#now = now
    this.#interval = Math.min(longestBeat, Math.max(shortestBeat, lostAfter / beatsPerSilence))
    this.#lastTick = now()
    this.#timer = setInterval(() => {
      this.#tick()
    }, this.#interval)
    this.#timer.unref()
  }

  /** Milliseconds between two beats. */
  get interval(): number {
    return this.#interval
  }

  /** Calls `beat` at each interval, and `onSilence` once where nothing was heard for too long. */
  watch(beat: () => void, onSilence: () => void): Heartbeat {
    const watched: Watched = { beat, onSilence, heardAt: this.#now() }
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
      watched.beat()
      if (didNotRun) watched.heardAt = now
      else if (now - watched.heardAt > this.#lostAfter) {
        this.#watched.delete(watched)
        watched.onSilence()
      }
    }
  }
}

interface Beat {
  readonly type: 'beat'
}

/** A line with a pulse. */
export interface LivingLine<In, Out> extends Line<In, Out> {
  /** The other end was heard of in another way. */
  heard(): void
  /** Calls `listener` whenever the other end is heard. */
  onBeat(listener: () => void): void
}

/**
 * A line that is kept alive by beats in both directions; they are not passed on. Where the other end
 * stays silent, it closes as `silent`.
 */
export function withPulse<In extends { readonly type: string }, Out>(
  line: Line<In, Out | Beat>,
  pulse: Pulse,
): LivingLine<In, Out> {
  let silence!: (how: 'silent') => void
  const silent = new Promise<'silent'>((resolve) => {
    silence = resolve
  })
  const listeners = new Set<() => void>()
  const heartbeat = pulse.watch(
    () => {
      line.send({ type: 'beat' })
    },
    () => {
      silence('silent')
      line.destroy()
    },
  )
  void line.closed.then(() => {
    heartbeat.stop()
  })
  return {
    heard: () => {
      heartbeat.heard()
    },
    onBeat: (listener) => {
      listeners.add(listener)
    },
    closed: Promise.race([silent, line.closed]),
    send: (message) => {
      line.send(message)
    },
    onMessage: (listener) => {
      line.onMessage((message) => {
        heartbeat.heard()
        for (const each of listeners) each()
        if (message.type !== 'beat') listener(message)
      })
    },
    end: () => {
      heartbeat.stop()
      line.end()
    },
    destroy: () => {
      line.destroy()
    },
    unref: () => {
      line.unref()
    },
  }
}
