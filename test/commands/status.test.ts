import { describe, expect, it } from 'vitest'
import { type ClusterStatus, type Constants, describeCluster } from '../../src/commands/status.ts'
import { formatStatus } from '../../src/commands/status-text.ts'
import type { SchedulerIdentity, WorkerIdentity } from '../../src/dask/answers.ts'
import type { SchedulerFile } from '../../src/record/scheduler-file.ts'

const started = Date.parse('2026-11-23T05:00:00Z')

function worker(id: string | number, host: string, more: Partial<WorkerIdentity> = {}): WorkerIdentity {
  return {
    id,
    host,
    nthreads: 4,
    memory_limit: 8 * 2 ** 30,
    status: 'running',
    last_seen: started / 1000 + 299,
    metrics: { memory: 512 * 2 ** 20, cpu: 12.5, task_counts: { executing: 2, ready: 3, memory: 4, waiting: 1 } },
    ...more,
  }
}

function identity(workers: readonly WorkerIdentity[]): SchedulerIdentity {
  return {
    type: 'Scheduler',
    id: 'Scheduler-1',
    address: 'tcp://10.0.0.1:8786',
    services: { dashboard: 8787 },
    started: started / 1000,
    workers: Object.fromEntries(workers.map((info, i) => [`tcp://${info.host}:${4000 + i}`, info])),
  }
}

const file: SchedulerFile = {
  type: 'Scheduler',
  id: 'Scheduler-1',
  address: 'tcp://10.0.0.1:8786',
  dask_hpc_runner: {
    version: 1,
    run_key: 'my-cluster-7.0-r0',
    nonce: 'n',
    host: 'node0',
    pid: 12,
    control: { addresses: [], port: 1, network: 'x' },
    secret: 'not to be shown',
    n_workers: 3,
  },
}

const constants: Constants = {
  versions: { host: { python: '3.11.2.final.0' }, packages: { dask: '2022.12.1', distributed: '2022.12.1' } },
  dashboard: { url: 'http://10.0.0.1:8787/status', state: 'there', tunnel: 'ssh -N -L 8787:10.0.0.1:8787 -- login1' },
}

function described(workers: readonly WorkerIdentity[], of: Partial<Constants> = {}): ClusterStatus {
  const now = started + 300_000
  return describeCluster({ path: '/F.json' }, { identity: identity(workers), file }, { ...constants, ...of }, now)
}

describe('the status of a cluster', () => {
  it('has scheduler, run, dashboard, workers by host and name, and totals', () => {
    const status = described([worker(10, 'b'), worker('2', 'b', { status: 'paused' }), worker(3, 'a')])
    expect(status).toMatchObject({
      version: 1,
      time: '2026-11-23T05:05:00.000Z',
      scheduler: { started: '2026-11-23T05:00:00.000Z', age: 300, distributed: '2022.12.1', python: '3.11.2' },
      run: { key: 'my-cluster-7.0-r0', job_id: '7', step_id: '0', n_workers: 3, host: 'node0', pid: 12 },
      total: {
        workers: 3,
        running: 2,
        threads: 12,
        memory: 1_610_612_736,
        memory_limit: 25_769_803_776,
        tasks: { executing: 6, ready: 12, memory: 12 },
      },
    })
    expect(status.workers.map(({ host, name }) => `${host} ${name}`)).toEqual(['a 3', 'b 2', 'b 10'])
    expect(status.workers[0]).toEqual({
      name: '3',
      address: 'tcp://a:4002',
      host: 'a',
      threads: 4,
      gpus: 0,
      gpu_devices: null,
      state: 'running',
      memory: 536_870_912,
      memory_limit: 8_589_934_592,
      cpu: 12.5,
      tasks: { executing: 2, ready: 4, memory: 4 },
      silent_for: 1,
    })
  })

  it.each([1e300, -1e300, 8.7e12])('does not know the age of a scheduler that started at %d', (seconds) => {
    const target = { address: 'tcp://10.0.0.1:8786' }
    const absurd = { identity: { ...identity([]), started: seconds }, file: undefined }
    const status = describeCluster(target, absurd, constants)
    expect(status.scheduler).toMatchObject({ started: null, age: null })
    expect(formatStatus(status)).toMatch(/^scheduler {2}tcp:\/\/10\.0\.0\.1:8786, for an unknown time, Dask/)
  })

  it.each([
    ['my-cluster-7.0-r0', '7', '0'],
    ['sim-12.batch-r1', '12', 'batch'],
    ['kubernetes-0d6b2f6c-7f5c-4b0c-8b38-0c8f4ac7a3f5.0-r0', '0d6b2f6c-7f5c-4b0c-8b38-0c8f4ac7a3f5', '0'],
    ['aws-batch-7f3c2a10-0b1d-4a53-9d5e-3f0f8a7c1b22.0-r0', '7f3c2a10-0b1d-4a53-9d5e-3f0f8a7c1b22', '0'],
    ['pbs-1672.mgt1.example.org.0-r0', '1672.mgt1.example.org', '0'],
    ['local-local4711c0ffee.0-r0', null, null],
    ['a word of somebody else', null, null],
  ])('tells the job and the step of %s whole, or not at all', (run_key, job_id, step_id) => {
    const record = { ...file.dask_hpc_runner, run_key } as SchedulerFile['dask_hpc_runner']
    const live = { identity: identity([]), file: { ...file, dask_hpc_runner: record } }
    expect(describeCluster({ path: '/F.json' }, live, constants).run).toMatchObject({ job_id, step_id })
  })

  it('shows no secret', () => {
    expect(JSON.stringify(described([]))).not.toContain('not to be shown')
  })

  it('bears workers that have said nothing yet, or have no limit, and a clock that is ahead', () => {
    const fresh = worker(1, 'a', { memory_limit: 0, metrics: undefined, last_seen: started / 1000 + 900 })
    const status = described([fresh])
    expect(status.workers[0]).toMatchObject({ memory: null, memory_limit: null, cpu: null, silent_for: 0 })
    expect(status.total).toMatchObject({ memory: 0, memory_limit: null, tasks: { executing: 0, ready: 0, memory: 0 } })
  })
})

describe('the time that is left of the job', () => {
  const ending = (end_time: number | undefined): ClusterStatus => {
    const record = { ...file.dask_hpc_runner, end_time } as SchedulerFile['dask_hpc_runner']
    const live = { identity: identity([]), file: { ...file, dask_hpc_runner: record } }
    return describeCluster({ path: '/F.json' }, live, constants, started + 300_000)
  }

  it('is shown where the scheduler file says when it ends', () => {
    const status = ending(started / 1000 + 3_900)
    expect(status.run).toMatchObject({ end_time: '2026-11-23T06:05:00.000Z', time_left: 3_600 })
    expect(formatStatus(status)).toContain('\ntime left  60 min, until 2026-11-23 06:05:00 UTC\n')
  })

  it('is none where that is past', () => {
    const status = ending(started / 1000)
    expect(status.run?.time_left).toBe(0)
    expect(formatStatus(status)).toContain('\ntime left  none: the job was to end at 2026-11-23 05:00:00 UTC\n')
  })

  it.each([undefined, 1e300])('is not shown where it says %d', (end_time) => {
    expect(ending(end_time).run).toMatchObject({ end_time: null, time_left: null })
    expect(formatStatus(ending(end_time))).not.toContain('time left')
  })
})

describe('the status for people', () => {
  it('fits on one screen', () => {
    const text = formatStatus(described([worker(2, '10.0.0.2'), worker(3, '10.0.0.3'), worker(4, '10.0.0.3')]))
    expect(text.split('\n')).toEqual([
      'scheduler  tcp://10.0.0.1:8786, for 5 min, Dask 2022.12.1, Python 3.11.2',
      'id         Scheduler-1',
      'file       /F.json',
      'dashboard  http://10.0.0.1:8787/status',
      '           from your own machine: ssh -N -L 8787:10.0.0.1:8787 -- login1',
      '           and then http://localhost:8787/status',
      'run        my-cluster-7.0-r0: job 7, step 0, rank 0 on node0 (process id 12)',
      'workers    3 of 3 run, on 2 hosts, 12 threads, 1.5 GiB of 24 GiB',
      'tasks      6 executing, 12 ready, 12 in memory',
      '',
      'host      worker  state    threads  memory           executing  ready  in memory',
      '10.0.0.2  2       running  4        512 MiB / 8 GiB  2          4      4',
      '10.0.0.3  3       running  4        512 MiB / 8 GiB  2          4      4',
      '          4       running  4        512 MiB / 8 GiB  2          4      4',
    ])
  })

  it('has the GPUs of workers that have some', () => {
    const told = (count: number, ...devices: string[]) => ({ dask_hpc_runner_gpus: JSON.stringify({ count, devices }) })
    const status = described([
      worker(2, 'a', { resources: { GPU: 2, MEM: 1 } }),
      worker(3, 'b'),
      worker(4, 'c', { resources: { GPU: 7 }, ...told(2, '0', 'GPU-8f3a1c20-9b') }),
      worker(5, 'd', { resources: { GPU: 7 }, ...told(0) }),
      worker(6, 'e', { resources: { GPU: 1 }, dask_hpc_runner_gpus: '{' }),
    ])
    expect(status.workers.map(({ gpus, gpu_devices }) => [gpus, gpu_devices])).toEqual([
      [2, null],
      [0, null],
      [2, ['0', 'GPU-8f3a1c20-9b']],
      [0, []],
      [1, null],
    ])
    const lines = formatStatus(status).split('\n')
    expect(lines).toContain('workers    5 of 3 run, on 5 hosts, 20 threads, 5 GPUs, 2.5 GiB of 40 GiB')
    expect(lines.slice(-6).map((line) => line.split(/ {2,}/).slice(3, 5))).toEqual([
      ['threads', 'GPUs'],
      ['4', '2'],
      ['4', '0'],
      ['4', '2 (0,GPU-8f3a1c20…)'],
      ['4', '0'],
      ['4', '1'],
    ])
  })

  it('prints no control character of a name, and keeps its table', () => {
    const status = described([worker('a\u001b[2J\nb', 'node\u009b7'), worker('c', 'node8', { status: '\u001b]0;x' })])
    const lines = formatStatus(status).split('\n')
    expect(lines.slice(-2).map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
      ['node\\u009b7', 'a\\u001b[2J\\u000ab', 'running'],
      ['node8', 'c', '\\u001b]0;x'],
    ])
    expect(status.workers[0]).toMatchObject({ name: 'a\u001b[2J\nb', host: 'node\u009b7' })
  })

  it('says why there is no dashboard', () => {
    const of = (state: 'off' | 'no-bokeh' | 'unreachable'): string =>
      formatStatus(described([], { dashboard: { url: 'http://u/status', state, tunnel: 'ssh' } }))
    expect(of('no-bokeh')).toMatch(/^dashboard {2}Dask serves none: install bokeh in the scheduler's Python$/m)
    expect(of('off')).toMatch(/^dashboard {2}none: the scheduler was started without$/m)
    expect(of('unreachable')).toMatch(/^dashboard {2}http:\/\/u\/status \(cannot be reached from here\)$/m)
    expect(formatStatus(described([], { dashboard: null }))).toMatch(/^dashboard {2}none$/m)
  })

  it('has a row for each host where there are many workers, and no more rows than fit', () => {
    const many = Array.from({ length: 200 }, (_, i) => worker(i, `node${i % 50}`, i === 7 ? { status: 'paused' } : {}))
    const lines = formatStatus(described(many)).split('\n')
    expect(lines).toContainEqual(expect.stringMatching(/^node7 +4 +3 running +16 +2 GiB \/ 32 GiB +8 +16 +16$/))
    expect(lines.at(-1)).toBe('and 20 more hosts; --json has them all')
    expect(lines).toHaveLength(42)
  })
})
