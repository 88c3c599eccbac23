import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, program, programs } from '../support/cluster.ts'
import { slurmEnvironment } from '../support/environment.ts'
import { canLimitMemory, MemoryGroup } from '../support/memory-group.ts'

const gib = 2 ** 30
const het = {
  SLURM_HET_SIZE: '2',
  SLURM_MEM_PER_NODE: '64G',
  SLURM_MEM_PER_NODE_HET_GROUP_0: '64G',
  SLURM_MEM_PER_NODE_HET_GROUP_1: '2G',
  SLURM_JOB_NODELIST_HET_GROUP_0: 'other',
  SLURM_JOB_NODELIST_HET_GROUP_1: 'node0',
}

// The kernel keeps the four tasks of a node to 2 GiB; how they are told so differs. With limits that are too high it
// kills their workers, again and again.
test.skipIf(!canLimitMemory && process.env.CI !== 'true').for([
  { told: 'its control group', hidden: false, before: '', changes: {} },
  { told: 'RLIMIT_RSS', hidden: true, before: 'ulimit -m 2097152;', changes: {} },
  {
    told: 'SLURM_MEM_PER_GPU',
    hidden: true,
    before: '',
    changes: { SLURM_MEM_PER_GPU: '512', SLURM_GPUS_ON_NODE: '4' },
  },
  { told: 'its component', hidden: true, before: '', changes: het },
])(
  'workers that are told of their memory by $told spill, and the kernel kills nothing',
  async (way, { onTestFinished }) => {
    await using group = await MemoryGroup.make(2 * gib)
    await using cluster = await Cluster.make()
    // Not on a tmpfs, which is memory too.
    const disk = await mkdtemp(join(tmpdir(), 'dask-hpc-runner-test-'))
    onTestFinished(async () => await rm(disk, { recursive: true }))
    const run = [process.execPath, program, 'run', '--local-directory', disk, '--']
    const command = [
      ...group.enter(way.hidden, way.before),
      ...run,
      'python3',
      join(programs, 'fill_memory.py'),
      '2500',
    ]
    const runs = [0, 1, 2, 3].map((rank) => {
      const [first = '', ...rest] = command
      const place = { SLURM_PROCID: `${rank}`, SLURM_LOCALID: `${rank}` }
      return cluster.start([first, ...rest], slurmEnvironment('overcommit-proc3', { ...place, ...way.changes }))
    })
    for (const each of runs) await each.expectStatus(0)
    expect(runs[1]?.stdout.trim().split('\n').sort()).toEqual([`2 ${gib / 2} spilled`, `3 ${gib / 2} spilled`])
    expect(await group.kills()).toBe(0)
    await cluster.expectNothingLeft()
  },
)
