import type { Curve, Recording } from '../record/run-report.ts'

/** What is seen at one moment: a number for each curve. */
export type Values = Readonly<Record<string, number>>

/** What is seen at one moment of the cluster, and of each of its hosts. */
export interface SeenValues {
  readonly cluster: Values
  readonly hosts: ReadonlyMap<string, Values>
}

/** Several numbers of one curve that were merged. */
interface Range {
  readonly mean: number
  readonly least: number
  readonly most: number
  /** How many they were. */
  readonly count: number
}

type Ranges = Readonly<Record<string, Range>>

interface Sample {
  /** When the last of what it stands for was seen. */
  readonly at: number
  readonly count: number
  readonly cluster: Ranges
  readonly hosts: ReadonlyMap<string, Ranges>
}

/** A run of 20 minutes has each of its samples; of a longer one several are merged. */
const mostSamples = 600

/** So many hosts have curves of their own, and with the samples above a report of a few megabytes. */
const mostHosts = 64

/**
 * What was seen over time, in bounded room: where it gets full, each two samples become one, and so do those that come
 * later. Every sample stands for the same number of looks; their mean, least and most are kept.
 */
export class Samples {
  readonly #most: number
  readonly #hosts = new Set<string>()
  #samples: Sample[] = []
  /** How many looks a sample stands for. */
  #looksEach = 1
  #taken = 0

  constructor(most = mostSamples) {
    this.#most = most
  }

  add(at: number, { cluster, hosts }: SeenValues): void {
    this.#taken++
    for (const host of hosts.keys()) if (this.#hosts.size < mostHosts) this.#hosts.add(host)
    const own = [...hosts].filter(([host]) => this.#hosts.has(host))
    const sample: Sample = {
      ...{ at, count: 1, cluster: rangesOf(cluster) },
      hosts: new Map(own.map(([host, values]) => [host, rangesOf(values)])),
    }
    if (this.#samples.length >= this.#most && !this.#takesMore(this.#samples.at(-1))) this.#thinOut()
    const last = this.#samples.at(-1)
    if (this.#takesMore(last)) this.#samples[this.#samples.length - 1] = merged(last, sample)
    else this.#samples.push(sample)
  }

  #takesMore(last: Sample | undefined): last is Sample {
    return last !== undefined && last.count < this.#looksEach
  }

  #thinOut(): void {
    this.#looksEach *= 2
    this.#samples = this.#samples.flatMap((sample, i, all) => {
      const next = all[i + 1]
      return i % 2 === 1 ? [] : [next === undefined ? sample : merged(sample, next)]
    })
  }

  /** As the report has them. */
  get columns(): Recording['samples'] {
    const all = this.#samples
    return {
      taken: this.#taken,
      at: all.map(({ at }) => rounded(at)),
      cluster: curvesOf(all.map(({ cluster }) => cluster)),
      hosts: [...this.#hosts].map((host) => ({ host, curves: curvesOf(all.map(({ hosts }) => hosts.get(host))) })),
    }
  }
}

function rangesOf(values: Values): Ranges {
  return mapValues(values, (value) => ({ mean: value, least: value, most: value, count: 1 }))
}

function merged(a: Sample, b: Sample): Sample {
  const hosts = new Set([...a.hosts.keys(), ...b.hosts.keys()])
  return {
    at: b.at,
    count: a.count + b.count,
    cluster: mergedRanges(a.cluster, b.cluster),
    hosts: new Map([...hosts].map((host) => [host, mergedRanges(a.hosts.get(host) ?? {}, b.hosts.get(host) ?? {})])),
  }
}

function mergedRanges(a: Ranges, b: Ranges): Ranges {
  return mapValues({ ...a, ...b }, (either, name) => {
    const [one, other] = [a[name], b[name]]
    if (one === undefined || other === undefined) return either
    const count = one.count + other.count
    return {
      mean: (one.mean * one.count + other.mean * other.count) / count,
      least: Math.min(one.least, other.least),
      most: Math.max(one.most, other.most),
      count,
    }
  })
}

function curvesOf(samples: readonly (Ranges | undefined)[]): Record<string, Curve> {
  const names = new Set(samples.flatMap((ranges) => Object.keys(ranges ?? {})))
  return Object.fromEntries(
    [...names].map((name) => {
      const ranges = samples.map((sample) => sample?.[name])
      const column = (of: (range: Range) => number): (number | null)[] =>
        ranges.map((range) => (range === undefined ? null : rounded(of(range))))
      const mean = column((range) => range.mean)
      if (ranges.every((range) => range === undefined || range.least === range.most)) return [name, { mean }]
      return [name, { mean, least: column(({ least }) => least), most: column(({ most }) => most) }]
    }),
  )
}

/** Nobody needs more digits, which would be most of a report. */
function rounded(value: number): number {
  return Math.abs(value) >= 1_000 ? Math.round(value) : Math.round(value * 1_000) / 1_000
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From, name: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]))
}
