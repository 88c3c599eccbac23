import { readFileSync } from 'node:fs'

/** One message of the exchange, with header and handshakes, and whether Dask's side sent it. */
export interface Recorded {
  readonly by: 'us' | 'dask'
  readonly bytes: Uint8Array
}

/** A connection to the scheduler of Dask 2022.12.1 as it was recorded: both handshakes, an `identity` and its answer. */
export function recordedExchange(): Recorded[] {
  const path = new URL('../../../fixtures/dask/wire-identity-2022.12.1.hex', import.meta.url)
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => ({ by: line.startsWith('>') ? 'us' : 'dask', bytes: Buffer.from(line.slice(2), 'hex') }))
}
