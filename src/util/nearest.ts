import { inspect } from 'node:util'

/** Which of `names` whoever wrote `given` is likely to have meant, if any: it differs by a few letters. */
export function nearest(given: string, names: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(given.length / 3))
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const name of names) {
    const distance = distanceOf(given.toLowerCase(), name.toLowerCase())
    if (distance <= most && (best === undefined || distance < best.distance)) best = { name, distance }
  }
  return best?.name
}

/** How many letters are missing, too much, other or exchanged with their neighbour (Damerau and Levenshtein). */
function distanceOf(one: string, other: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: other.length + 1 }, (_, i) => i)]
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1
      const exchanged = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      row[j] = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + same,
        exchanged ? (before[j - 2] ?? 0) + 1 : Infinity,
      )
    }
    ;[before, last] = [last, row]
  }
  return last[other.length] ?? Infinity
}

/** Checks that `given` can have options. @throws TypeError that says what it is. */
export function checkIsObject(given: unknown): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new TypeError(
      `Cannot use ${inspect(given, { depth: 0, maxStringLength: 80 })} as options: write an object, such as { timeout: '30s' }`,
    )
}

/**
 * Checks that `given` is an object that has only options of these names.
 *
 * @throws TypeError that says which one there is not, and which may have been meant.
 */
export function checkNames(given: object, names: readonly string[]): void {
  checkIsObject(given)
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue
    const meant = nearest(name, names)
    const advice = meant === undefined ? `the options are ${names.join(', ')}` : `did you mean "${meant}"?`
    throw new TypeError(`Cannot use the option "${name}": there is none of that name; ${advice}`)
  }
}
