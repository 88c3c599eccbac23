import type { PythonDescription } from '../../python/describe-python.ts'
import { type Level, levels } from './finding.ts'
import { publicPart } from './python.ts'

/** Where these differ between the parts of a cluster, Dask does not work: it says so, or breaks later. */
const needed: ReadonlySet<string> = new Set(['distributed', 'dask'])

/** Packages whose versions Dask does not compare. */
const unimportant: ReadonlySet<string> = new Set(['bokeh'])

/** What one Python has otherwise than another, in words by how bad that is, the worst first. */
export function differences(
  one: PythonDescription,
  other: PythonDescription,
): readonly (readonly [level: Level, texts: readonly string[]])[] {
  const names = [...new Set([...Object.keys(other.packages), ...Object.keys(one.packages)])]
  const all = [
    { name: 'Python', its: one.version, others: other.version, level: levelOfPython(one.version, other.version) },
    ...names.map((name) => {
      const [its, others] = [one.packages[name], other.packages[name]]
      return { name, its, others, level: levelOfPackage(name, its, others) }
    }),
  ]
  return levels
    .filter((level) => level !== 'ok')
    .toReversed()
    .map((level) => {
      const those = all.filter((each) => each.level === level)
      return [
        level,
        those.map(({ name, its = 'none', others = 'none' }) => `${name} ${its} and not ${others}`),
      ] as const
    })
    .filter(([, texts]) => texts.length > 0)
}

/** Undefined for a package that is missing. */
function levelOfPackage(name: string, one: string | undefined, other: string | undefined): Level {
  if (one === other || unimportant.has(name)) return 'ok'
  // One release as two distributors package it.
  if (one !== undefined && other !== undefined && publicPart(one) === publicPart(other)) return 'ok'
  return needed.has(name) ? 'problem' : 'warning'
}

/** What is pickled by one minor version is not for another. */
function levelOfPython(one: string, other: string): Level {
  if (one === other) return 'ok'
  return minorPart(one) === minorPart(other) ? 'note' : 'problem'
}

function minorPart(version: string): string {
  return version.split('.').slice(0, 2).join('.')
}
