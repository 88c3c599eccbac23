import type { Recording, ReportedWorker } from '../record/run-report.ts'
import { formatBytes, formatCount } from '../util/format.ts'
import { groupBy } from '../util/group-by.ts'
import { type Html, markup } from './html.ts'
import { extentOf, mostOf } from './numbers.ts'
import { table } from './table.ts'
import { firstOf, formatNumber, formatPart } from './words.ts'

/** From this part of its memory on Dask spills what a worker has, by its defaults. */
const spillsFrom = 0.6

/** What the workers could use, and what they used. */
export function drawBooked(recording: Recording): Html {
  const { workers_seen: workers, samples } = recording
  if (workers.length === 0) return markup`<p>The scheduler has told of no worker.</p>`
  const sentences = [memorySentence(workers), cpuSentence(recording), ...troubles(recording)]
  const curve = (name: string) => extentOf(samples.cluster[name])
  const [memory, limit, cpu, threads] = [curve('memory'), curve('memory_limit'), curve('cpu'), curve('threads')]
  const limits = workers.map(({ memory_limit }) => memory_limit)
  const [peak, fastest] = [highest(workers, 'memory'), highest(workers, 'cpu')]
  const most = (each: (worker: ReportedWorker) => number | null): number => mostOf(workers.map(each))
  return markup`<p>${sentences.join(' ')}</p>
${table({
  caption: 'What was booked, and what was needed',
  head: ['What', 'Booked', 'Highest seen', 'On average', 'Needed'],
  numbersFrom: 1,
  rows: [
    ['Memory of a worker', rangeOf(limits), bytes(peak?.memory), '', part(peak?.memory, peak?.memory_limit)],
    [
      'Memory of all workers',
      bytes(limit?.most),
      bytes(memory?.most),
      bytes(memory?.mean),
      part(memory?.most, limit?.most),
    ],
    [
      'CPUs of a worker',
      formatNumber(most(({ threads }) => threads)),
      number(fastest?.cpu),
      '',
      part(fastest?.cpu, fastest?.threads),
    ],
    [
      'CPUs of all workers',
      number(threads?.most),
      number(cpu?.most),
      number(cpu?.mean),
      part(cpu?.most, threads?.most),
    ],
  ],
})}${drawHosts(recording)}${drawWorkers(workers, recording.workers_left_out)}`
}

/** `48 GiB a worker booked, 9 GiB the highest seen (worker 3 on node2).` */
function memorySentence(workers: readonly ReportedWorker[]): string {
  const peak = highest(workers, 'memory')
  const booked = rangeOf(workers.map(({ memory_limit }) => memory_limit))
  if (peak === undefined || peak.memory === null) return `${booked} a worker booked; none has told how much it needed.`
  const seen = `${booked} a worker booked, ${formatBytes(peak.memory)} the highest seen (worker ${peak.name} on ${peak.host}).`
  const enough = peak.memory / spillsFrom
  if (peak.memory_limit === null || enough > peak.memory_limit * 0.8) return seen
  return `${seen} With ${formatBytes(enough)} a worker Dask would have had no reason to spill, by its defaults.`
}

function cpuSentence({ samples }: Recording): string {
  const [cpu, threads] = [extentOf(samples.cluster.cpu), extentOf(samples.cluster.threads)]
  if (cpu === undefined || threads === undefined) return ''
  return `Of ${formatCount(threads.most, 'CPU')} of the workers ${formatNumber(cpu.mean)} were in use on average, ${formatNumber(cpu.most)} at most.`
}

function troubles({ samples }: Recording): readonly string[] {
  const { cluster } = samples
  const [paused, spilled] = [extentOf(cluster.workers_paused)?.most ?? 0, extentOf(cluster.spilled)?.most ?? 0]
  const [finished, failed] = [extentOf(cluster.ever_finished)?.most, extentOf(cluster.ever_failed)?.most ?? 0]
  return [
    ...(paused > 0
      ? [`Dask has paused up to ${formatCount(paused, 'worker')}, which had too little memory left.`]
      : []),
    ...(spilled > 0 ? [`Up to ${formatBytes(spilled)} were spilled to disk.`] : []),
    ...(finished === undefined ? [] : [`${formatCount(finished, 'task')} finished, and ${failed} failed.`]),
  ]
}

function drawHosts({ workers_seen, samples }: Recording): Html {
  const hosts = groupBy(workers_seen, ({ host }) => host)
  if (hosts.length < 2) return markup``
  const { shown, more } = firstOf(hosts, mostRows, 'hosts')
  const curves = new Map(samples.hosts.map(({ host, curves }) => [host, curves]))
  const rows = shown.map(([host, its]) => {
    const limits = its.map(({ memory_limit }) => memory_limit)
    const booked = limits.includes(null) ? undefined : sum(limits)
    const [memory, cpu] = [extentOf(curves.get(host)?.memory)?.most, extentOf(curves.get(host)?.cpu)?.most]
    const ofMemory = [booked === undefined ? 'no limit' : bytes(booked), bytes(memory), part(memory, booked)]
    return [host, its.length, sum(its.map(({ threads }) => threads)), number(cpu), ...ofMemory]
  })
  const head = ['Host', 'Workers', 'CPUs booked', 'most used', 'Memory booked', 'most used', 'Needed']
  return folded('Hosts', table({ caption: 'Hosts', head, rows, numbersFrom: 1 }), more)
}

/** Rows that a page shows of hosts, and of workers. */
const mostRows = 200

function drawWorkers(workers: readonly ReportedWorker[], leftOut: number): Html {
  const byMemory = workers.toSorted((a, b) => (b.memory ?? 0) - (a.memory ?? 0))
  const { shown, more } = firstOf(byMemory, mostRows, 'workers')
  const rows = shown.map(({ name, host, threads, cpu, memory_limit, memory, spilled, transfers }) => {
    const ofMemory = [rangeOf([memory_limit]), bytes(memory), part(memory, memory_limit), bytes(spilled)]
    return [name, host, threads, number(cpu), ...ofMemory, number(transfers)]
  })
  const ofMemory = ['Memory booked', 'most used', 'Needed', 'Spilled']
  const head = ['Worker', 'Host', 'CPUs booked', 'most used', ...ofMemory, 'Transfers']
  const caption = 'Workers, by the memory that they needed'
  const left = leftOut === 0 ? more : `${more}; of ${leftOut.toLocaleString('en')} or more workers nothing was kept`
  return folded('Workers', table({ caption, head, rows, numbersFrom: 2 }), left)
}

function folded(title: string, content: Html, more: string): Html {
  const note = more === '' ? undefined : markup`<p>${more}.</p>`
  return markup`<details><summary>${title}</summary>${content}${note}</details>\n`
}

function sum(numbers: readonly (number | null)[]): number {
  return numbers.reduce<number>((total, each) => total + (each ?? 0), 0)
}

function highest(workers: readonly ReportedWorker[], what: 'memory' | 'cpu'): ReportedWorker | undefined {
  return workers.reduce<ReportedWorker | undefined>(
    (most, worker) => ((worker[what] ?? -1) > (most?.[what] ?? -1) ? worker : most),
    undefined,
  )
}

/** `48 GiB`, `8 GiB to 48 GiB`, `no limit`. */
function rangeOf(limits: readonly (number | null)[]): string {
  const all = limits.filter((limit) => limit !== null)
  if (all.length < limits.length) return 'no limit'
  const [least, most] = [all.reduce((a, b) => Math.min(a, b), Infinity), mostOf(all)]
  return least === most ? formatBytes(most) : `${formatBytes(least)} to ${formatBytes(most)}`
}

type Known = number | null | undefined

function bytes(value: Known): string {
  return typeof value === 'number' ? formatBytes(value) : '–'
}

function number(value: Known): string {
  return typeof value === 'number' ? formatNumber(value) : '–'
}

function part(value: Known, whole: Known): string {
  return typeof value === 'number' && typeof whole === 'number' ? formatPart(value, whole) : '–'
}
