import { type CompleteOptions, nameOf } from '../options.ts'

/** A value of an option, for values.py: the option, how messages call it, and the value. */
export type DaskValue = readonly [option: string, name: string, value: string]

/** The values of which only Dask, in the user's Python, knows whether they can be used. */
export function daskValues(options: CompleteOptions): DaskValue[] {
  const { protocol, listenAddress, contactAddress, workerClass, preload = [] } = options
  const given = Object.entries({ protocol, listenAddress, contactAddress, workerClass })
  return [...given, ...preload.map((each) => ['preload', each] as const)].flatMap(([option, value]) =>
    value === undefined ? [] : [[option, nameOf(options, option), value] as const],
  )
}
