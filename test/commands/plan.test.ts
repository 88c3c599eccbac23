import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatPlan, plan, planFor, planOf } from '../../src/commands/plan.ts'
import { completeOptions, type RunnerOptions } from '../../src/options.ts'
import { identifySlurm } from '../../src/runners/slurm/identify-slurm.ts'
import { kinds } from '../../src/runners/kinds.ts'
import { identifySystem } from '../../src/runners/variables/identify-system.ts'
import { systemCases } from '../runners/variables/system-cases.ts'
import { slurmEnvironment, systemEnvironment } from '../support/environment.ts'
import { nodeLimits } from '../support/node-limits.ts'

function planned(capture: string, options: RunnerOptions = {}, changes: Readonly<Record<string, string>> = {}) {
  const complete = completeOptions({ ...options, env: slurmEnvironment(capture, changes) })
  const me = identifySlurm(complete.env, complete)
  const limits = nodeLimits({ memory: 64 * 2 ** 30 })
  return planOf(complete, { me, hosts: kinds.slurm.hosts(complete.env, me), limits })
}

describe('plan', () => {
  it('gives rank, host and roles of every process of the job', () => {
    expect(planned('step-4nodes-1task-each-proc1').rows).toEqual([
      { rank: 0, host: 'node0', roles: ['scheduler'] },
      { rank: 1, host: 'node1', roles: ['client'] },
      { rank: 2, host: 'node2', roles: ['worker'] },
      { rank: 3, host: 'node3', roles: ['worker'] },
    ])
  })

  it('is the same table in every process of a step', () => {
    const tables = ['proc0', 'proc3', 'proc5'].map((name) => planned(`step-3nodes-6tasks-${name}`).rows)
    expect(tables[1]).toEqual(tables[0])
    expect(tables[2]).toEqual(tables[0])
  })

  it('fills the run key into the path of the scheduler file', () => {
    const { schedulerFile, own } = planned('array-task0-proc1-requeued', {
      schedulerFile: '/scratch/s-{job_id}.{step_id}.{restart}.json',
    })
    expect(schedulerFile).toBe('/scratch/s-9.0.1.json')
    expect(own?.identity).toMatchObject({ rank: 1, size: 2, runKey: { jobId: '9', stepId: '0', restart: 1 } })
    expect(planned('step-2-of-3-nodes-proc0').schedulerFile).toBe(resolve('scheduler-2.1.json'))
  })

  it('follows layout, client, scheduler and identity', () => {
    const roles = (options: RunnerOptions) =>
      planned('step-4nodes-1task-each-proc0', options).rows.map((row) => row.roles.join('+'))
    expect(roles({ layout: 'shared' })).toEqual(['scheduler+client+worker', 'worker', 'worker', 'worker'])
    expect(roles({ client: false })).toEqual(['scheduler', 'worker', 'worker', 'worker'])
    expect(roles({ scheduler: false, schedulerFile: 'a.json' })).toEqual(['client', 'worker', 'worker', 'worker'])
    expect(planned('step-4nodes-1task-each-proc1', { identity: 'task' }).own?.identity.source).toContain(
      'SLURM_PROCID=1',
    )
  })

  it('fails outside of a step as a run would', async () => {
    const options = completeOptions({ env: slurmEnvironment('batch-script-3nodes-6tasks') })
    await expect(plan(options, 'slurm')).rejects.toThrow('start me with srun')
  })
})

describe('planFor', () => {
  it('plans a number of processes outside of a job, placeholders left open', () => {
    const { rows, ...rest } = planFor(completeOptions({ schedulerFile: '/x/{job_id}.json' }), 3)
    expect(rows.map(({ rank, host, roles }) => [rank, host, ...roles])).toEqual([
      [0, '?', 'scheduler'],
      [1, '?', 'client'],
      [2, '?', 'worker'],
    ])
    expect(rest).toEqual({ schedulerFile: '/x/{job_id}.json', noticeMs: 120, own: undefined })
  })

  it('refuses a number of processes that is none', () => {
    expect(() => planFor(completeOptions({}), 0)).toThrow(RangeError)
  })
})

describe('formatPlan', () => {
  it('is a table, then the scheduler file, the run key and who asks', () => {
    const text = formatPlan(planned('step-4nodes-1task-each-proc1', { layout: 'shared', schedulerFile: '/x/s.json' }))
    expect(text.split('\n')).toEqual([
      'rank  host   roles',
      '0     node0  scheduler, client, worker',
      '1     node1  worker',
      '2     node2  worker',
      '3     node3  worker',
      '',
      'scheduler file: /x/s.json',
      'run key: sim-7.0-r0',
      'this process: rank 1 of 4 on node1 (SLURM_NODEID=1 of SLURM_STEP_NUM_NODES=4)',
      '  has 1 CPU: SLURM_CPUS_ON_NODE',
      "  has 64 GiB: the machine's memory",
      '  a worker gets 1 thread and 64 GiB',
      'found by polling: within 120 ms',
    ])
  })

  it('says where the share of this process comes from, and what could not be read', () => {
    const perGpu = formatPlan(planned('mem-per-gpu-proc3', { nworkers: 2 })).split('\n')
    expect(perGpu).toContain('  has 2 GiB: SLURM_MEM_PER_GPU × 4 GPUs ÷ 2 tasks')
    expect(perGpu).toContain('  each of 2 workers gets 1 thread and 1 GiB')
    const broken = formatPlan(planned('step-4nodes-1task-each-proc1', {}, { SLURM_MEM_PER_NODE: 'unlimited' }))
    expect(broken).toMatch(/^warning: SLURM_MEM_PER_NODE is "unlimited", which is not .*: it does not count$/m)
    // It is the client, and hosts no worker.
    expect(broken).not.toMatch(/gets/)
  })

  it('says what a worker leaves to scheduler and client beside it, and where that is too little', () => {
    const small = (memory: string) =>
      formatPlan(planned('step-4nodes-1task-each-proc0', { layout: 'shared' }, { SLURM_MEM_PER_NODE: memory }))
    expect(small('512M')).toMatch(
      /^ {2}a worker gets 1 thread and 390 MiB \(200 MiB stay for the scheduler and the client program\)$/m,
    )
    expect(small('200M')).toMatch(/^warning: 200 MiB \(SLURM_MEM_PER_NODE\) is too little for the scheduler, /m)
  })

  it('says which GPUs the workers of this process begin with', () => {
    const options: RunnerOptions = { layout: 'shared' }
    expect(formatPlan(planned('gpu-shared-proc3', options)).split('\n')).toEqual(
      expect.arrayContaining([
        '  has 1 of 4 GPUs: CUDA_VISIBLE_DEVICES ÷ 4 tasks',
        '  a worker gets 1 thread, 16 GiB and 1 GPU',
        '    CUDA_VISIBLE_DEVICES=3,0,1,2',
      ]),
    )
    const much = formatPlan(planned('gpu-shared-proc3', { ...options, gpusPerWorker: 8, resources: 'GPU=2' }))
    expect(much.split('\n')).toEqual(
      expect.arrayContaining([
        '  has 4 GPUs: --gpus-per-worker, of those in CUDA_VISIBLE_DEVICES',
        '  a worker gets 1 thread, 16 GiB and 4 GPUs (and has the resource GPU=2)',
        'warning: --gpus-per-worker asks for 8 GPUs for each worker, and its task sees 4',
      ]),
    )
    expect(formatPlan(planned('gpu-shared-proc3', { ...options, gpusPerWorker: 0 }))).not.toMatch(/GPU|CUDA/)
  })

  it('says how soon a large job notices the cluster, of which one process of each host looks', () => {
    const hosts = Array.from({ length: 1_600 }, (_, rank) => `node${rank >> 4}`)
    const line = (options: RunnerOptions, known = hosts): string | undefined =>
      formatPlan(planFor(completeOptions(options), 1_600, known))
        .split('\n')
        .at(-1)
    expect(line({})).toBe('found by polling: within 1.7 s')
    expect(line({}, [])).toBe('found by polling: within 6 s')
    expect(line({ pollInterval: '1s' })).toBe('found by polling: within 1.2 s')
  })

  it('leaves out what is unknown outside of a job', () => {
    const text = formatPlan(planFor(completeOptions({ schedulerFile: '/x/s.json' }), 1))
    expect(text).toBe(
      'rank  host  roles\n0     ?     scheduler, client, worker\n\nscheduler file: /x/s.json\nfound by polling: within 120 ms',
    )
  })
})

describe.each(systemCases)('the plan in a job of $fixture', ({ fixture, runner, host, given = {}, is, key }) => {
  it('says who the process is, on which hosts the others are as far as that is told, and what it has of its own', async () => {
    const env = systemEnvironment(fixture)
    const options = completeOptions({ ...given, env })
    const me = await identifySystem(env, { ...options, runner }, host)
    const limits = nodeLimits({ memory: 64 * 2 ** 30 })
    const seen = planOf(options, { me, hosts: kinds[runner].hosts(env, me), limits })
    const text = formatPlan(seen)
    expect(text).toContain(`run key: ${key}`)
    expect(text).toContain(`this process: rank ${me.rank} of ${me.size} on ${host} (${me.source})`)
    // The machine of these limits has 64.
    const cpus = me.share.cpus?.[0]?.amount ?? 64 / me.share.processes
    expect(text).toMatch(new RegExp(`^  has ${cpus} CPUs: `, 'm'))
    expect(seen.rows).toHaveLength(me.size)
    expect(seen.rows.map((row) => row.host).filter((name) => name !== '?')).toEqual(
      fixture === 'oar' ? ['idpot-1.example.org', 'idpot-2.example.org', 'idpot-4.example.org'] : [host],
    )
    expect(me).toMatchObject(is)
  })
})
