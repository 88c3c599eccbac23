import type { Curve, Recording, RunReport } from '../../../src/record/run-report.ts'

/** What others can have called a host, a worker or a cause. */
export const hostile = `"><script>document.title='taken'</script><img src=x onerror=alert(1)>&'`

const gib = 1024 ** 3
const at = Array.from({ length: 11 }, (_, i) => 1 + 2 * i)

function curve(of: (i: number) => number): Curve {
  return { mean: at.map((_, i) => of(i)) }
}

/** What rank 0 has seen of a run of 21 seconds with two hosts, one of which has a name that is an attack. */
export const exampleRecording: Recording = {
  versions: { python: '3.11.2', dask: '2022.12.1', distributed: '2022.12.1' },
  ranks: [
    { rank: 0, roles: ['scheduler'], host: 'node0', came: 0.1, up: null, ended: 21.4 },
    { rank: 1, roles: ['client'], host: 'node1', came: 0.2, up: null, ended: 20.9 },
    { rank: 2, roles: ['worker'], host: 'node2', came: 0.3, up: 1.8, ended: 21.1 },
    {
      rank: 3,
      roles: ['worker'],
      host: hostile,
      came: 0.4,
      up: 2,
      ended: 12.5,
      why: `ended without a word ${hostile}`,
    },
    { rank: 4, roles: ['worker'], host: null, came: null, up: null, ended: null },
  ],
  ranks_left_out: 0,
  workers_seen: [
    {
      ...{ name: '2', host: 'node2', threads: 4, memory_limit: 48 * gib, memory: 9 * gib, cpu: 3.5, spilled: 0 },
      ...{ transfers: 12, first_seen: 1, last_seen: 21 },
    },
    {
      ...{ name: hostile, host: hostile, threads: 4, memory_limit: 48 * gib, memory: 2.5 * gib, cpu: 0.9, spilled: 0 },
      ...{ transfers: null, first_seen: 3, last_seen: 13 },
    },
  ],
  workers_left_out: 0,
  events: [
    { at: 1, level: 'info', text: 'The scheduler runs at tcp://10.0.0.1:8786' },
    { at: 12.5, level: 'warn', text: `Lost rank 3 (worker) on ${hostile}; the run goes on with the other workers` },
    { at: 21, level: 'error', text: 'Lost rank 2' },
  ],
  events_left_out: 0,
  samples: {
    taken: 22,
    at,
    cluster: {
      workers_running: { mean: at.map((_, i) => (i < 6 ? 2 : 1)), least: at.map(() => 1), most: at.map(() => 2) },
      workers_paused: curve(() => 0),
      memory: curve((i) => gib * (1 + Math.min(i, 8))),
      memory_limit: curve((i) => (i < 6 ? 96 : 48) * gib),
      spilled: curve(() => 0),
      cpu: { ...curve((i) => i % 4), least: at.map(() => 0), most: at.map((_, i) => (i % 4) + 0.5) },
      threads: curve((i) => (i < 6 ? 8 : 4)),
      received: { mean: at.map((_, i) => (i === 5 ? null : i * 1e6)) },
      sent: curve((i) => i * 5e5),
      tasks_processing: curve((i) => 2 * i),
      tasks_queued: curve((i) => 100 - 10 * i),
      tasks_in_memory: curve((i) => i),
      tasks_failed: curve((i) => (i > 7 ? 1 : 0)),
      ever_finished: curve((i) => 100 * i),
      ever_failed: curve((i) => (i > 7 ? 1 : 0)),
    },
    hosts: ['node2', hostile].map((host) => ({
      host,
      curves: {
        memory: curve((i) => gib * i),
        memory_limit: curve(() => 48 * gib),
        cpu: curve(() => 1),
        threads: curve(() => 4),
      },
    })),
  },
}

/** A report of it, with a cause whose last lines are an attack as well. */
export const exampleReport: RunReport = {
  version: 1,
  run_key: 'slurm-cluster-4711.0-r0',
  status: 69,
  failure: {
    ...{ status: 69, message: `Lost rank 2 (worker) on node2 ${hostile}`, rank: 2, role: 'worker', host: hostile },
    last_lines: ['Traceback (most recent call last):', `MemoryError: ${hostile}`, '\u001b[31mred\u202e'],
  },
  silent: [3],
  processes: 5,
  workers: 3,
  scheduler_file: `/scratch/${hostile}/scheduler.json`,
  scheduler_address: 'tcp://10.0.0.1:8786',
  began: '2026-11-29T10:00:00.000Z',
  ended: '2026-11-29T10:00:21.400Z',
  recording: exampleRecording,
}

/** The same of a run that ended well. */
export const goodReport: RunReport = { ...exampleReport, status: 0, failure: null, silent: [] }
