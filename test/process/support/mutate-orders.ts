import type { Random } from '../../dask/support/random.ts'

/** What means something to the script, to a shell, to `find`, `ls`, `grep` and `rm`, or in a path. */
const tokens = [
  ...['\n', ' ', '\t', '\r', '\0', '/', '//', '/.', '/..', '/../', './', '-', '--', '-rf', '.', '..', ':', '='],
  ...['\\', '\\\\', '\\0', '\\0012', '\\0040', '\\0057', '\\0056', '\\0056\\0056', '\\0177', '\\0377', '\\0400', '\\c'],
  ...[
    '*',
    '?',
    '[',
    '/*',
    '~',
    '$HOME',
    '$PPID',
    '$(touch x)',
    '`id`',
    ';',
    '&',
    '|',
    '>',
    '<',
    '"',
    "'",
    '#',
    '{}',
    '+',
  ],
  ...['d', 'e', 'f', 'n', 'l', '+ ', '~ ', '- ', '\nd ', '\ne ', '\nf ', '\nn ', '\nl ', '\n+ '],
  ...['0', '1', '-1', '00', '1e3', '0x1', '4194304', '99999999999', '18446744073709551615', 'é', '\u0101', '\u2028'],
]

/** An order that differs a little from `order`; parts may come from `other` and from `words`. */
export function mutateOrder(order: string, random: Random, { other, words }: MutateOrderOptions): Buffer {
  let bytes: Buffer = Buffer.from(order)
  for (let i = random.below(4); i >= 0; i--) bytes = mutateOnce(bytes, random, { other, words })
  return bytes
}

/** What else the mutations are made of. */
export interface MutateOrderOptions {
  /** Another order. */
  readonly other: string
  /** Such as paths that are not to be touched. */
  readonly words: readonly string[]
}

function mutateOnce(bytes: Buffer, random: Random, { other, words }: MutateOrderOptions): Buffer {
  const [from, to] = span(bytes, random)
  const [before, after] = [bytes.subarray(0, from), bytes.subarray(to)]
  switch (random.below(9)) {
    case 0:
      return Buffer.concat([before, Buffer.from([random.below(256)]), bytes.subarray(from + 1)])
    case 1:
      return Buffer.concat([
        before,
        Buffer.from([(bytes[from] ?? 0) ^ (1 << random.below(8))]),
        bytes.subarray(from + 1),
      ])
    case 2:
      return Buffer.from(before)
    case 3:
      return Buffer.concat([before, after])
    case 4:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)])
    case 5:
      return Buffer.concat([before, Buffer.from(random.of(tokens)), bytes.subarray(from)])
    case 6:
      return Buffer.concat([before, Buffer.from(random.of(tokens)), after])
    case 7: {
      const [start, end] = span(Buffer.from(other), random)
      return Buffer.concat([before, Buffer.from(other).subarray(start, end), bytes.subarray(from)])
    }
    default: {
      // A whole word becomes another.
      const all = bytes.toString('latin1').split(' ')
      all[random.below(all.length)] = Buffer.from(random.of([...words, ...other.split(' ')])).toString('latin1')
      return Buffer.from(all.join(' '), 'latin1')
    }
  }
}

function span(bytes: Buffer, random: Random): readonly [number, number] {
  const from = random.below(bytes.length + 1)
  return [from, Math.min(bytes.length, from + random.below(30))]
}
