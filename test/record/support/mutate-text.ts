import type { Random } from '../../dask/support/random.ts'

/** Texts that mean something to JSON, to JavaScript, or to us. */
const words = [
  ...['null', 'true', '-1', '0', '1e999', '65536', '256', '0.5', '9007199254740993', '""', '[]', '{}', '[[[[[[[['],
  ...['"__proto__":{}', '"constructor":1', '"then":1', '\\u0000', '\u001b[2J', '\ufeff', '\ud800', '{"a":', '/', '../'],
  ...['"status":0', '"version":2', '"failure":{}', '"address":"tcp://"', '-', '\n', '"', ':', ',', '\\'],
]

/** A value of JSON that another one may be replaced by. */
const values: readonly unknown[] = [null, true, -1, 0, 1.5, 1e21, 65_536, 256, '', 'x', [], {}, ['x'], { then: 1 }]

/** A text that differs a little from that of a record: in its characters, or in what its JSON says. */
export function mutateText(text: string, random: Random): string {
  let mutated = text
  for (let i = random.below(3); i >= 0; i--)
    mutated = random.below(2) === 0 ? mutateCharacters(mutated, random) : mutateValue(mutated, random)
  return mutated
}

function mutateCharacters(text: string, random: Random): string {
  const from = random.below(text.length + 1)
  const to = Math.min(text.length, from + random.below(30))
  const [before, span, after] = [text.slice(0, from), text.slice(from, to), text.slice(to)]
  return random.of([
    before,
    before + after,
    before + span + span + after,
    before + random.of(words) + span + after,
    before + random.of(words) + after,
    before + String.fromCharCode(random.below(65_536)) + after,
  ])
}

/** Replaces or removes a value somewhere in the JSON, or adds one. */
function mutateValue(text: string, random: Random): string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return mutateCharacters(text, random)
  }
  let place = value
  for (;;) {
    if (typeof place !== 'object' || place === null) return mutateCharacters(text, random)
    const holder = place as Record<string, unknown>
    const key = random.of([...Object.keys(holder), `k${random.below(9)}`])
    place = holder[key]
    if (typeof place === 'object' && place !== null && random.below(3) > 0) continue
    if (random.below(4) === 0) Reflect.deleteProperty(holder, key)
    else holder[key] = random.of(values)
    return JSON.stringify(value)
  }
}
