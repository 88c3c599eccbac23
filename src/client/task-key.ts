import { createHash, randomBytes } from 'node:crypto'
import type { RemoteFunction } from './callable.ts'
import type { Encoded } from './values/encoded.ts'

let count = 0
const unique = randomBytes(8).toString('hex')

/** A key that no other task has. */
export function uniqueKey(name: string): string {
  return `${name}-${unique}${(count++).toString(16).padStart(8, '0')}`
}

/** A key that the same function with the same arguments has again. */
export function pureKey(
  remote: RemoteFunction<never>,
  { data, buffers }: Encoded,
  dependencies: readonly string[],
): string {
  const hash = createHash('sha256')
  for (const part of [remote.language, remote.spec, data, ...buffers, ...dependencies])
    hash.update(`${part.length}:`).update(part)
  return `${remote.name}-${hash.digest('hex').slice(0, 32)}`
}
