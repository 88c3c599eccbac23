import type { Recording } from '../record/run-report.ts'
import { type Chart, drawChart } from './chart.ts'
import { type Html, markup } from './html.ts'
import { extentOf } from './numbers.ts'

/** Hosts that have charts of their own: those whose memory was fullest. */
const mostHosts = 8

/** The curves of the whole cluster, and of its hosts where there are several. */
export function drawCharts({ samples }: Recording, end: number): Html {
  const { at, cluster } = samples
  const charts: readonly Pick<Chart, 'id' | 'title' | 'unit' | 'lines'>[] = [
    {
      ...{ id: 'memory', title: 'Memory of the workers', unit: 'bytes' },
      lines: [
        { name: 'used', look: 'one', curve: cluster.memory },
        { name: 'spilled to disk', look: 'two', curve: unlessZero(cluster.spilled) },
        { name: 'booked', look: 'limit', curve: cluster.memory_limit },
      ],
    },
    {
      ...{ id: 'cpus', title: 'CPUs of the workers', unit: 'cpus' },
      lines: [
        { name: 'in use', look: 'one', curve: cluster.cpu },
        { name: 'booked', look: 'limit', curve: cluster.threads },
      ],
    },
    {
      ...{ id: 'tasks', title: 'Tasks', unit: 'count' },
      lines: [
        { name: 'with a worker', look: 'one', curve: cluster.tasks_processing },
        { name: 'waiting for other tasks', look: 'two', curve: unlessZero(cluster.tasks_waiting) },
        { name: 'queued', look: 'three', curve: unlessZero(cluster.tasks_queued) },
        { name: 'results in memory', look: 'four', curve: cluster.tasks_in_memory },
        { name: 'failed', look: 'five', curve: unlessZero(cluster.tasks_failed) },
      ],
    },
    {
      ...{ id: 'workers', title: 'Workers', unit: 'count' },
      lines: [
        { name: 'running', look: 'one', curve: cluster.workers_running },
        { name: 'paused', look: 'five', curve: unlessZero(cluster.workers_paused) },
        { name: 'coming or going', look: 'two', curve: unlessZero(cluster.workers_other) },
      ],
    },
    {
      ...{ id: 'network', title: 'Network of the hosts, a second', unit: 'bytes a second' },
      lines: [
        { name: 'received', look: 'one', curve: cluster.received },
        { name: 'sent', look: 'two', curve: cluster.sent },
      ],
    },
    ...hostCharts(samples),
  ]
  return markup`<div class="charts">${charts.map((chart) => drawChart({ ...chart, at, end }))}</div>\n`
}

function hostCharts({ hosts }: Recording['samples']): readonly Pick<Chart, 'id' | 'title' | 'unit' | 'lines'>[] {
  if (hosts.length < 2) return []
  const fullness = ({ curves }: (typeof hosts)[number]): number =>
    (extentOf(curves.memory)?.most ?? 0) / (extentOf(curves.memory_limit)?.most ?? Infinity)
  const fullest = hosts.toSorted((a, b) => fullness(b) - fullness(a)).slice(0, mostHosts)
  return fullest.flatMap(({ host, curves }, i) => [
    {
      ...{ id: `host-${i}-memory`, title: `Memory of ${host}`, unit: 'bytes' as const },
      lines: [
        { name: 'used', look: 'one' as const, curve: curves.memory },
        { name: 'booked', look: 'limit' as const, curve: curves.memory_limit },
      ],
    },
    {
      ...{ id: `host-${i}-cpus`, title: `CPUs of ${host}`, unit: 'cpus' as const },
      lines: [
        { name: 'in use', look: 'one' as const, curve: curves.cpu },
        { name: 'booked', look: 'limit' as const, curve: curves.threads },
      ],
    },
  ])
}

/** What has never been is not worth a line. */
function unlessZero(curve: Recording['samples']['cluster'][string] | undefined): typeof curve {
  return extentOf(curve)?.most === 0 ? undefined : curve
}
