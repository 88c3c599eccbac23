import { formatValue } from './check-options.ts'
import { futureNumber } from './values/dependencies.ts'

/**
 * The futures of an iterable.
 *
 * @throws TypeError where it is none, or something in it is no future.
 */
export function futuresOf<F>(futures: Iterable<F>): F[] {
  const given: unknown = futures
  if (typeof (given as Partial<Iterable<F>> | undefined | null)?.[Symbol.iterator] !== 'function')
    throw new TypeError(
      `Cannot use ${formatValue(given)} as futures: it has to be an array of them, or iterable otherwise`,
    )
  const all = [...futures]
  for (const one of all)
    if (typeof one !== 'object' || one === null || !(futureNumber in one))
      throw new TypeError(`Cannot use ${formatValue(one)} as a future: it is none`)
  return all
}
