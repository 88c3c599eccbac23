import type { ChosenAddress } from '../../../src/components/choose-address.ts'
import { describe, expect, it } from 'vitest'
import { type DirectoryFacts, checkDirectory } from '../../../src/commands/doctor/directory.ts'
import { checkEnvironment } from '../../../src/commands/doctor/environment.ts'
import { kindOfFilesystem } from '../../../src/commands/doctor/filesystem.ts'
import type { Finding } from '../../../src/commands/doctor/finding.ts'
import { checkNetwork, checkOpenPorts } from '../../../src/commands/doctor/network.ts'
import { checkNode } from '../../../src/commands/doctor/node.ts'
import {
  checkOpenFiles,
  checkResources,
  checkVariables,
  formatThisWorker,
} from '../../../src/commands/doctor/resources.ts'
import { checkPath } from '../../../src/commands/doctor/path-facts.ts'
import { checkTemporary } from '../../../src/commands/doctor/temporary.ts'
import { checkPlace, checkSlurm, parseConfig } from '../../../src/commands/doctor/workload-manager.ts'
import { listeningPlaces } from '../../../src/components/listening-places.ts'
import { completeOptions, type RunnerOptions } from '../../../src/options.ts'
import { identifySlurm } from '../../../src/runners/slurm/identify-slurm.ts'
import { slurmEnvironment } from '../../support/environment.ts'
import { nodeLimits } from '../../support/node-limits.ts'

/** Levels and subjects, for tests in which the words do not matter. */
function levels(findings: readonly Finding[]): string[] {
  return findings.map(({ level, subject }) => `${level} ${subject}`)
}

describe('checkNode', () => {
  it.each([
    ['20.19.0', 'ok'],
    ['24.1.0', 'ok'],
    ['20.18.3', 'problem'],
    ['18.20.0', 'problem'],
  ])('takes %s as %s', (version, level) => {
    expect(checkNode('0.1.0', version).level).toBe(level)
  })
})

describe('checkEnvironment', () => {
  it('finds nothing in an environment without configuration of Dask', () => {
    expect(checkEnvironment({ PATH: '/bin', DASK_HPC_RUNNER_MARK: 'x', DASK_SCHEDULER: '' }, undefined)).toEqual([])
  })

  it.each([
    ['tcp://10.0.0.1:8786', ['problem environment']],
    ['threads', ['note environment']],
    ['distributed', []],
  ])('takes DASK_SCHEDULER=%s as %j', (value, expected) => {
    expect(levels(checkEnvironment({ DASK_SCHEDULER: value }, undefined))).toEqual(expected)
  })

  it('names what configures Dask, and an address of another cluster', () => {
    const findings = checkEnvironment({ DASK_SCHEDULER_ADDRESS: 'tcp://a:1', DASK_B: '2', DASK_A__C: '1' }, undefined)
    expect(levels(findings)).toEqual(['note environment', 'note environment'])
    expect(findings[1]?.finding).toMatch(/: DASK_A__C, DASK_B$/)
  })

  it.each([
    ['--max-old-space-size=512', []],
    ['--inspect=0.0.0.0:0', ['warning environment']],
  ])('takes NODE_OPTIONS=%s as %j: a debugger is open to others', (value, expected) => {
    expect(levels(checkEnvironment({ NODE_OPTIONS: value }, undefined))).toEqual(expected)
  })

  it('refuses required encryption without TLS', () => {
    const env = { DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION: 'True' }
    expect(levels(checkEnvironment(env, undefined))).toEqual(['problem environment'])
    expect(checkEnvironment(env, 'tls')).toEqual([])
  })
})

describe('checkPlace', () => {
  const why = 'Cannot tell which process of the run this is: SLURM_STEP_ID is not set; start me with srun'

  it('takes a machine without a job as it is', () => {
    expect(levels(checkPlace({ why }, {}, 'slurm'))).toEqual(['note identity'])
  })

  it('takes a job that is not understood as a problem, and gives its advice', () => {
    for (const env of [{ SLURM_JOB_ID: '1' }, { OMPI_COMM_WORLD_RANK: '0' }])
      expect(checkPlace({ why }, env, 'slurm')).toMatchObject([{ level: 'problem', advice: 'start me with srun' }])
  })
})

describe('checkSlurm', () => {
  const config = parseConfig(
    'Configuration data as of 2026\nKillWait                = 30 sec\nProctrackType           = proctrack/cgroup\n',
  )

  it('says how Slurm is configured', () => {
    expect(checkSlurm({ srun: 'slurm 23.11.1', config }, 20_000)).toEqual([
      { level: 'ok', subject: 'slurm', finding: 'slurm 23.11.1, ProctrackType proctrack/cgroup, KillWait 30 sec' },
    ])
  })

  it('warns of a grace that KillWait would cut short', () => {
    expect(checkSlurm({ srun: 'slurm 23.11.1', config }, 28_000)).toHaveLength(1)
    expect(checkSlurm({ srun: 'slurm 23.11.1', config }, 29_000)[1]).toMatchObject({
      level: 'warning',
      advice: '--grace 26s',
    })
  })

  it('only notes what does not answer', () => {
    expect(levels(checkSlurm({ srun: undefined, config: undefined }, 1))).toEqual(['note slurm'])
    expect(levels(checkSlurm({ srun: 'slurm 23.11.1', config: undefined }, 1))).toEqual(['note slurm'])
  })
})

describe('checkResources', () => {
  const gib = 2 ** 30
  const facts = { limits: nodeLimits({ cpus: 8, affinity: 8, memory: 16 * gib }), openFiles: 1024 }
  const wanted = { nworkers: 2, runner: 'slurm', roles: ['worker'], env: {} } as const
  const given = (cpus: number, memory: number) => ({
    processes: 2,
    cpus: [{ amount: cpus, source: 'SLURM_CPUS_ON_NODE ÷ 2 tasks' }],
    memory: [{ amount: memory, source: 'SLURM_MEM_PER_GPU × 4 GPUs ÷ 2 tasks' }],
  })

  it('says what each worker gets, and of what', () => {
    expect(formatThisWorker(facts, { ...wanted, share: given(2, 2 * gib) })).toBe(
      'each of 2 workers gets 1 thread and 1 GiB; its process has 2 CPUs: SLURM_CPUS_ON_NODE ÷ 2 tasks; ' +
        '2 GiB: SLURM_MEM_PER_GPU × 4 GPUs ÷ 2 tasks',
    )
    expect(
      formatThisWorker(facts, { ...wanted, nworkers: 1, nthreads: 3, memoryLimit: '4GiB', share: { processes: 1 } }),
    ).toBe("a worker gets 3 threads and 4GiB of memory; its process has 8 CPUs: affinity; 16 GiB: the machine's memory")
  })

  it('warns of little memory and of too much, and notes threads that share a CPU', () => {
    const share = given(1, 400_000_000)
    expect(levels(checkResources(facts, { ...wanted, share }))).toEqual([
      'ok resources',
      'warning resources',
      'note resources',
    ])
    const much = checkResources(facts, { ...wanted, share: given(2, 2 * gib), memoryLimit: '1.5GiB' })[1]
    expect(much?.finding).toBe(
      '3 GiB for the workers of a process that has 2 GiB (SLURM_MEM_PER_GPU × 4 GPUs ÷ 2 tasks): they may be killed',
    )
    const none = checkResources(facts, { ...wanted, share: given(2, 2 * gib), memoryLimit: '0' })[1]
    expect(none).toMatchObject({
      level: 'note',
      finding: expect.stringMatching(/^without a limit of memory /) as string,
    })
    for (const memoryLimit of ['1GiB', '0.5', 'auto'])
      expect(levels(checkResources(facts, { ...wanted, share: given(2, 2 * gib), memoryLimit }))).toEqual([
        'ok resources',
      ])
  })

  it('warns where there is no room for scheduler and client beside a worker', () => {
    const beside = { ...wanted, nworkers: 1, roles: ['scheduler', 'client', 'worker'] as const }
    expect(levels(checkResources(facts, { ...beside, share: given(2, gib / 2) }))).toEqual(['ok resources'])
    const [, warning] = checkResources(facts, { ...beside, share: given(2, gib / 4) })
    expect(warning?.finding).toMatch(
      /^256 MiB \(SLURM_.*\) is too little for the scheduler, the client program and a worker/,
    )
    expect(levels(checkResources(facts, { ...wanted, nworkers: 1, share: given(2, gib / 2) }))).toEqual([
      'ok resources',
    ])
  })

  it('advises what makes srun take over --cpus-per-task, in every version of Slurm', () => {
    const [, note] = checkResources(facts, { ...wanted, nworkers: 1, share: given(1, 2 * gib) })
    expect(note).toMatchObject({
      level: 'note',
      advice: 'where more were asked for: srun --cpus-per-task=$SLURM_CPUS_PER_TASK',
    })
    // No other system has that option.
    const elsewhere = { ...wanted, nworkers: 1, share: given(1, 2 * gib), runner: 'grid-engine' } as const
    expect(levels(checkResources(facts, elsewhere))).toEqual(['ok resources'])
  })

  it('says how many GPUs each worker gets, and what is odd about it', () => {
    const share = given(2, 2 * gib)
    const of = (list: string, gpusPerWorker?: number) =>
      checkResources(facts, { ...wanted, share, env: { CUDA_VISIBLE_DEVICES: list }, gpusPerWorker })
    expect(of('0,1,2,3')[0]?.finding).toMatch(
      /^each of 2 workers gets 1 thread, 1 GiB and 1 GPU; .*; 2 of 4 GPUs: CUDA_VISIBLE_DEVICES ÷ 2 tasks$/,
    )
    expect(of('0,1,2,3')).toHaveLength(1)
    expect(of('0,1')[1]).toMatchObject({ level: 'note', subject: 'gpus', finding: '4 workers share 2 GPUs' })
    expect(of('0,1,2,3,4,5')[1]?.finding).toBe("of 6 GPUs 2 are no worker's own")
    expect(of('', 1)[1]).toMatchObject({ level: 'warning', subject: 'gpus' })
    expect(of('0,1', 8)[0]?.finding).toMatch(
      / and 2 GPUs \(and has the resource GPU=8\); .*; 2 GPUs: --gpus-per-worker/,
    )
    expect(of('0,1', 8)[1]).toMatchObject({
      level: 'warning',
      finding: '--gpus-per-worker asks for 8 GPUs for each worker, and its task sees 2',
    })
    expect(of('0,1', 0)).toHaveLength(1)
  })

  it('names variables that could not be read', () => {
    const { share } = identifySlurm(
      slurmEnvironment('step-4nodes-1task-each-proc1', { SLURM_MEM_PER_NODE: 'unlimited' }),
      { identity: 'auto' },
    )
    expect(checkVariables(share)).toMatchObject([
      { level: 'warning', finding: expect.stringMatching(/^SLURM_MEM_PER_NODE is "unlimited"/) as string },
    ])
  })

  it('warns where a scheduler could not have its connections', () => {
    expect(levels(checkOpenFiles(1024, 100))).toEqual(['ok limits'])
    expect(checkOpenFiles(1024, 1000)).toMatchObject([{ level: 'warning', advice: 'ulimit -n 6200' }])
    expect(checkOpenFiles(undefined, 1000)).toEqual([])
  })
})

describe('checkTemporary', () => {
  const filesystem = { kind: 'ext4', local: true, free: 50e9 }
  const of = (changes: object) =>
    levels(checkTemporary({ path: '/tmp', filesystem: { ...filesystem, ...changes }, why: undefined }, false))

  it('warns of little room, and notes what is in memory or far away', () => {
    expect(of({})).toEqual(['ok temporary'])
    expect(of({ free: 5e6 })).toEqual(['ok temporary', 'warning temporary'])
    expect(of({ kind: 'tmpfs' })).toEqual(['ok temporary', 'note temporary'])
    expect(of({ kind: 'nfs4', local: false })).toEqual(['ok temporary', 'note temporary'])
  })

  it('says where a stranger could put files in the place of ours', () => {
    const foreign = { hand: 'everybody may write "/x" (mode 777)', instead: '/tmp' }
    const facts = { path: '/x', filesystem, why: undefined, foreign }
    expect(levels(checkTemporary(facts, false))).toEqual(['warning temporary'])
    expect(levels(checkTemporary(facts, true))).toEqual(['problem temporary'])
    const nowhere = { ...facts, foreign: { ...foreign, instead: undefined } }
    expect(levels(checkTemporary(nowhere, false))).toEqual(['problem temporary'])
  })

  it('takes what cannot be written as a problem', () => {
    const why = 'permission denied (EACCES)'
    expect(levels(checkTemporary({ path: '/tmp', filesystem: undefined, why }, true))).toEqual(['problem temporary'])
  })
})

describe('checkDirectory', () => {
  const facts = {
    wanted: '/x',
    existing: '/x',
    filesystem: { kind: 'nfs4', local: false, free: 1e9 },
    tookMs: 3,
    others: { who: 'nobody', isSticky: false, owner: undefined } as const,
  }

  it('takes a shared directory as it is', () => {
    expect(levels(checkDirectory(facts, { watch: 'auto', nodes: undefined }))).toEqual(['ok directory'])
  })

  it('notes what a job of several nodes would want', () => {
    const local = { ...facts, filesystem: { ...facts.filesystem, kind: 'xfs', local: true } }
    expect(levels(checkDirectory(local, { watch: 'auto', nodes: undefined }))).toEqual([
      'ok directory',
      'note directory',
    ])
    // In a job it is tried.
    expect(levels(checkDirectory(local, { watch: 'auto', nodes: 4 }))).toEqual(['ok directory'])
    expect(levels(checkDirectory(facts, { watch: 'events', nodes: 4 }))).toEqual(['ok directory', 'note directory'])
  })

  it('says who else can write there, and what that means', () => {
    const said = (others: DirectoryFacts['others']): readonly string[] =>
      checkDirectory({ ...facts, others }, { watch: 'auto', nodes: 4 })
        .slice(1)
        .map(({ level, finding }) => `${level} ${finding}`)
    const blocks = 'put something in the place of a run, which then does not start'
    const removes = "move or remove a run's files, which it then does without"
    expect(said({ who: 'nobody', owner: undefined, isSticky: false })).toEqual([])
    expect(said({ who: 'everybody', owner: undefined, isSticky: true })).toEqual([
      `note everybody on this machine can write in "/x", and so ${blocks}`,
    ])
    expect(said({ who: 'group', owner: undefined, isSticky: false })).toEqual([
      `note its group can write in "/x", and so ${blocks}, or ${removes}`,
    ])
    expect(said({ who: 'nobody', owner: 'user anna', isSticky: false })).toEqual([
      `note "/x" belongs to user anna, who can ${removes}`,
    ])
  })

  it('warns of a publication that is slow', () => {
    expect(checkDirectory({ ...facts, tookMs: 2500 }, { watch: 'auto', nodes: 4 })[1]).toMatchObject({
      level: 'warning',
      finding: 'publishing in "/x" is slow: it took 2.5 s',
    })
  })
})

describe('kindOf', () => {
  const mounts = [
    '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '30 22 0:40 / /home rw shared:7 master:2 - nfs4 server:/home rw,vers=4.2',
    '31 22 0:41 / /with\\040space rw - lustre mds:/f rw',
    '32 30 0:42 / /home rw - tmpfs tmpfs rw',
  ].join('\n')

  it('is the innermost mount, and of two on one point the later', () => {
    expect(kindOfFilesystem('/var/x', mounts)).toBe('ext4')
    expect(kindOfFilesystem('/homely', mounts)).toBe('ext4')
    expect(kindOfFilesystem('/home/me', mounts.replace(/\n32.*/, ''))).toBe('nfs4')
    expect(kindOfFilesystem('/home/me', mounts)).toBe('tmpfs')
    expect(kindOfFilesystem('/with space/x', mounts)).toBe('lustre')
    expect(kindOfFilesystem('/x', '')).toBeUndefined()
  })
})

describe('checkStanding', () => {
  const nothing = { path: '/x/F.json', refusal: undefined, notice: undefined }

  it('notes what would be replaced, and gives the advice of what would be refused', () => {
    expect(levels(checkPath(nothing))).toEqual(['ok scheduler file'])
    expect(levels(checkPath({ ...nothing, notice: 'Replacing it' }))).toEqual(['note scheduler file'])
    expect(checkPath({ ...nothing, refusal: 'Cannot publish: a; name another path' })).toMatchObject([
      { level: 'problem', finding: 'Cannot publish: a', advice: 'name another path' },
    ])
  })
})

describe('checkNetwork', () => {
  const eth0 = { name: 'eth0', address: '10.0.0.1', family: 'IPv4', kind: 'network' } as const
  const lo = { name: 'lo', address: '127.0.0.1', family: 'IPv4', kind: 'loopback' } as const
  const at = (address: string, by: ChosenAddress['by'] = 'step') => ({ address, by })
  const listening = (chosen: ChosenAddress | undefined) => [{ component: 'worker', chosen }] as const

  it('says where a part would listen, and why', () => {
    const of = (by: ChosenAddress['by'], options: object = {}) =>
      checkNetwork(
        { addresses: [eth0, lo], places: [], listens: listening(at('10.0.0.1', by)) },
        { options, nodes: 2 },
      )[1]?.finding
    expect(of('step')).toBe('the worker would listen on 10.0.0.1 (eth0), on the network that the workload manager uses')
    expect(of('interface', { interface: '10.0.0.0/8' })).toMatch(/as --interface 10\.0\.0\.0\/8 says$/)
    expect(of('interface', { workerInterface: 'eth0', interface: 'ib0' })).toMatch(/as --worker-interface eth0 says$/)
    expect(of('host', { host: '10.0.0.1' })).toMatch(/as --host says$/)
  })

  it('says what it does not know, and warns where several networks are as good', () => {
    const of = (by: ChosenAddress['by']) =>
      checkNetwork(
        { addresses: [eth0, lo], places: [], listens: listening(at('10.0.0.1', by)) },
        { options: {}, nodes: 2 },
      )[1]
    for (const by of ['name', 'only', 'guess'] as const)
      expect(of(by)?.finding).toMatch(/; nothing tells whether the other nodes reach it$/)
    expect(of('only')?.level).toBe('note')
    expect(of('guess')).toMatchObject({ level: 'warning', advice: 'name the right one by --interface' })
  })

  it('takes loopback as a problem of several nodes only', () => {
    const of = (nodes: number) =>
      levels(
        checkNetwork(
          { addresses: [eth0, lo], places: [], listens: listening(at('127.0.0.1')) },
          { options: {}, nodes },
        ),
      )
    expect(of(1)).toEqual(['ok network', 'ok network'])
    expect(of(2)).toEqual(['ok network', 'problem network'])
    expect(levels(checkNetwork({ addresses: [lo], listens: [], places: [] }, { options: {}, nodes: 2 }))).toEqual([
      'problem network',
    ])
  })

  it('says which ports anybody can use, and what closes them', () => {
    const of = (given: RunnerOptions, schedulerHost = '10.0.0.1', workerHost = schedulerHost) => {
      const options = completeOptions(given)
      return checkOpenPorts(
        { places: listeningPlaces({ options, schedulerHost, workerHost, staysOnHost: false }) },
        options,
      ).map(({ level, finding, advice }) => [level, finding, advice].join('; '))
    }
    const open = 'note; anybody on the network can use the ports of'
    expect(of({ port: '8786', nanny: true })).toEqual([
      `${open} scheduler (8786), dashboard (any free one), workers (any free one), nannies (any free one), ` +
        'dashboards of the workers (any free one); --secure closes them',
    ])
    expect(of({ scheduler: false, schedulerFile: 'F', workerPort: '9000' })).toEqual([
      `${open} workers (9000), dashboards of the workers (any free one); --secure closes them`,
    ])
    const closed = 'ok; closed to all who have no certificate'
    const ports = 'are the ports of scheduler (any free one), workers (any free one); '
    expect(of({ secure: true })).toEqual([`${closed} of the run (--secure) ${ports}`])
    expect(of({ secure: true, dashboardAddress: ':8787' })[1]).toBe(`${open} dashboard (:8787); `)
    expect(of({ protocol: 'tls' })).toEqual([
      `${closed} ${ports}`,
      `${open} dashboard (any free one), dashboards of the workers (any free one); --secure closes them`,
    ])
    expect(of({}, '127.0.0.1')).toEqual([])
    expect(of({}, '127.0.0.1', '10.0.0.1')).toEqual([
      `${open} workers (any free one), dashboards of the workers (any free one); --secure closes them`,
    ])
    expect(of({ dashboardAddress: '127.0.0.1:8787,0.0.0.0:0', dashboard: false }, '127.0.0.1')).toEqual([
      `${open} health page (127.0.0.1:8787,0.0.0.0:0); --secure closes them`,
    ])
  })

  it('takes what it cannot listen on as a problem', () => {
    const listens = [
      { component: 'worker', chosen: undefined, obstacle: 'Cannot use --worker-port "9": a; b' },
    ] as const
    expect(checkNetwork({ addresses: [eth0], listens, places: [] }, { options: {}, nodes: 1 }).at(-1)).toEqual({
      level: 'problem',
      subject: 'network',
      finding: 'Cannot use --worker-port "9": a',
      advice: 'b',
    })
  })
})
