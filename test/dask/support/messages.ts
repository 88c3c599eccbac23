import { encode } from '@msgpack/msgpack'
import { encodeFrames } from '../../../src/dask/frames.ts'
import type { Random } from './random.ts'

const texts = ['', 'op', 'workers', 'tcp://127.0.0.1:40257', '__proto', 'ä\u{1f40d}', 'x'.repeat(200), '7', '1023']
const numbers = [0, -1, 127, 128, 255, 65_535, 65_536, -129, 2 ** 32, 2 ** 53, -(2 ** 40), 0.5, NaN, Infinity]

/** A message of random values, with frames behind the first now and then. */
export function randomMessage(random: Random): Buffer {
  const more = Array.from({ length: random.below(3) }, () => new Uint8Array(random.below(20)))
  return Buffer.from(encodeFrames([encode(randomValue(random, 4)), ...more]))
}

function randomValue(random: Random, depth: number): unknown {
  const several = <T>(make: () => T): T[] => Array.from({ length: random.below(6) }, make)
  const inner = (): unknown => randomValue(random, depth - 1)
  switch (random.below(depth > 0 ? 10 : 5)) {
    case 0:
      return random.of([null, true, false])
    case 1:
    case 2:
      return random.of(numbers)
    case 3:
      return random.of(texts)
    case 4:
      return new Uint8Array(random.below(30))
    case 5:
      return several(inner)
    case 6:
      return { __Set__: true, 'as-list': several(inner) }
    case 7:
      return random.of([
        { __Enum__: true, name: 'running', __module__: 'distributed.core', __name__: 'Status' },
        { __Serialized__: 1 },
        { __Pickled__: 2 },
      ])
    default:
      return Object.fromEntries(several(() => [random.of(texts), inner()]))
  }
}
