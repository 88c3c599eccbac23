import { defaults } from '../defaults.ts'

/** How the grace of a run's end is divided. In milliseconds, each from the moment its part begins. */
export interface EndTiming {
  /** The client program, from the signal on. */
  readonly client: number
  /** The client program, where the run has failed. */
  readonly clientAfterFailure: number
  /** The workers, once the client has ended. */
  readonly workers: number
  /** How long rank 0 waits for the other processes, once the client has ended. */
  readonly peers: number
  /** The scheduler, once the workers have ended. */
  readonly scheduler: number
}

/** The part of the grace that is kept for what ends after the client, at most. In milliseconds. */
const longestReserve = 5_000

/** A cluster that has failed is of no use to its client program, and may have been lost for long already. In milliseconds. */
const longestAfterFailure = 5_000

/** Divides `grace`: three quarters of it or more are the client's. */
export function divideGrace(grace: number): EndTiming {
  const reserve = Math.min(longestReserve, grace / 4)
  const client = grace - reserve
  const clientAfterFailure = Math.min(client, longestAfterFailure)
  return { client, clientAfterFailure, workers: reserve * 0.5, peers: reserve * 0.7, scheduler: reserve * 0.2 }
}

/** A run that failed waits less for processes that have not been seen yet. In milliseconds. */
const lateArrivalAfterFailure = 5_000

/** How the run stands when rank 0 begins to end it. */
export interface EndingRun {
  /** Processes have not been seen yet. */
  readonly someMissing: boolean
  readonly failed: boolean
  /** A signal ended it, so that the grace is all there is. */
  readonly interrupted: boolean
}

/** How long rank 0 waits for the other processes. In milliseconds. */
export function patience(timing: EndTiming, { someMissing, failed, interrupted }: EndingRun): number {
  if (!someMissing || interrupted) return timing.peers
  return Math.max(timing.peers, failed ? lateArrivalAfterFailure : defaults.lateArrival)
}
