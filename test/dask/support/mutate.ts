import type { Random } from './random.ts'

/** Bytes that mean something to msgpack or to a header. */
const telling = [0, 1, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x91, 0x9f, 0xa0, 0xbf, ...range(0xc0, 0x100)]
const lengths = [
  0n,
  1n,
  8n,
  16n,
  65_535n,
  65_537n,
  2n ** 20n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
]
/** Texts that mean something to JavaScript, or to us. */
const words = [
  '__proto__',
  'constructor',
  '__Set__',
  'as-list',
  '__Enum__',
  '__Pickled__',
  '__Serialized__',
  '1023',
  'then',
]

function range(begin: number, end: number): number[] {
  return Array.from({ length: end - begin }, (_, i) => begin + i)
}

const mutations: readonly ((bytes: Buffer, random: Random, other: Buffer) => Buffer)[] = [
  (bytes, random) => withByte(bytes, random, (byte) => byte ^ (1 << random.below(8))),
  (bytes, random) => withByte(bytes, random, () => random.of(telling)),
  (bytes, random) => withByte(bytes, random, () => random.below(256)),
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => {
    const [from, to] = span(bytes, random)
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
  },
  (bytes, random) => {
    const [from, to] = span(bytes, random)
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)])
  },
  (bytes, random, other) => {
    const [at] = span(bytes, random)
    const [from, to] = span(other, random)
    return Buffer.concat([bytes.subarray(0, at), other.subarray(from, to), bytes.subarray(at)])
  },
  (bytes, random) => insert(bytes, random, Buffer.from(range(0, 1 + random.below(9)).map(() => random.of(telling)))),
  (bytes, random) => {
    const word = random.of(words)
    return insert(bytes, random, Buffer.concat([Buffer.from([0x81, 0xa0 + word.length]), Buffer.from(word)]))
  },
  (bytes, random) => insert(bytes, random, Buffer.alloc(random.below(300), random.of(telling))),
]

/** Bytes that differ a little from `bytes`; some come from `other`. */
export function mutate(bytes: Buffer, random: Random, other: Buffer): Buffer {
  let mutated = bytes
  for (let i = random.below(4); i >= 0; i -= 1) mutated = random.of(mutations)(mutated, random, other)
  return mutated
}

/** A message whose header claims other lengths here or there. */
export function mutateHeader(bytes: Buffer, random: Random): Buffer {
  const mutated = Buffer.from(bytes)
  const places = Math.min(4, Math.floor(mutated.length / 8))
  if (places > 0) mutated.writeBigUInt64LE(random.of(lengths), 8 * random.below(places))
  return mutated
}

function withByte(bytes: Buffer, random: Random, change: (byte: number) => number): Buffer {
  const changed = Buffer.from(bytes)
  const at = random.below(changed.length)
  if (at < changed.length) changed[at] = change(changed[at] ?? 0)
  return changed
}

function span(bytes: Buffer, random: Random): readonly [number, number] {
  const from = random.below(bytes.length + 1)
  return [from, Math.min(bytes.length, from + random.below(40))]
}

function insert(bytes: Buffer, random: Random, what: Buffer): Buffer {
  const at = random.below(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), what, bytes.subarray(at)])
}
