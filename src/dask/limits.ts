/** How much of a peer's word is believed. */
export interface WireLimits {
  /** Bytes of one message, all of its frames together. */
  readonly messageBytes: number
  /** Frames of one message. */
  readonly frames: number
  /** How deep arrays and maps may lie in each other. */
  readonly depth: number
  /** Bytes that the values of one message may take once decoded, by a cautious estimate. */
  readonly memory: number
}

const MiB = 1024 * 1024

/**
 * Far above what Dask sends to the calls that we make: of an identity, each worker takes 1.5 kB of a
 * message and 16 kB of that estimate, so one of 30,000 workers passes.
 */
export const wireLimits: WireLimits = { messageBytes: 128 * MiB, frames: 65_536, depth: 200, memory: 512 * MiB }

/** What passes before the peer is known: a handshake has some hundred bytes. */
export const handshakeLimits: WireLimits = { messageBytes: 65_536, frames: 16, depth: 8, memory: MiB }
