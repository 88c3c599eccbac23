import { publicPart } from './python.ts'
import type { Level } from './finding.ts'

/** Where these differ between the parts of a cluster, Dask does not work: it says so, or breaks later. */
const needed: ReadonlySet<string> = new Set(['distributed', 'dask'])

/** Packages whose versions Dask does not compare. */
const unimportant: ReadonlySet<string> = new Set(['bokeh'])

/** How bad it is that two parts of a cluster have these versions of a package; undefined for a missing one. */
export function checkDifference(name: string, one: string | undefined, other: string | undefined): Level {
  if (one === other || unimportant.has(name)) return 'ok'
  // One release as two distributors package it.
  if (one !== undefined && other !== undefined && publicPart(one) === publicPart(other)) return 'ok'
  return needed.has(name) ? 'problem' : 'warning'
}

/** The same for the versions of Python itself: what is pickled by one minor version is not for another. */
export function checkPythonDifference(one: string, other: string): Level {
  if (one === other) return 'ok'
  return minorPart(one) === minorPart(other) ? 'note' : 'problem'
}

function minorPart(version: string): string {
  return version.split('.').slice(0, 2).join('.')
}
