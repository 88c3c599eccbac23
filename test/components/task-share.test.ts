import { describe, expect, it, test } from 'vitest'
import { taskShare } from '../../src/components/task-share.ts'
import { slurmShare } from '../../src/runners/slurm/slurm-share.ts'
import { groupLimits } from '../../src/process/cgroup.ts'
import { parseResidentSet, readNodeLimits } from '../../src/process/limits.ts'
import { slurmEnvironment } from '../support/environment.ts'
import { mountsOfVersion1, mountsOfVersion2, nodeLimits, noLimit, textsOf } from '../support/node-limits.ts'

const gib = 2 ** 30
const two = { processes: 2 }

/** What limits two tasks of a node in these control groups. */
function inGroups(files: Readonly<Record<string, string>>, mounts = mountsOfVersion2, share = two) {
  const groups = groupLimits(textsOf({ '/proc/self/mountinfo': mounts, ...files }))
  return taskShare(share, nodeLimits({ groups }))
}

describe('of all that tells of memory', () => {
  const share = {
    processes: 2,
    memory: [
      { amount: 3 * gib, source: 'A' },
      { amount: 2 * gib, source: 'B' },
    ],
  }

  test('the smallest counts, with where it comes from', () => {
    expect(taskShare(share, nodeLimits()).memory).toEqual({ amount: 2 * gib, source: 'B' })
    const limits = nodeLimits({ residentSet: 3 * gib })
    expect(taskShare(share, limits).memory).toEqual({ amount: 1.5 * gib, source: 'RLIMIT_RSS ÷ 2 tasks' })
    expect(taskShare({ processes: 1 }, limits).memory).toEqual({ amount: 3 * gib, source: 'RLIMIT_RSS' })
  })

  test('the machine is the last, by all tasks on it', () => {
    const memory = { amount: 4 * gib, source: "the machine's memory ÷ 4 tasks" }
    expect(taskShare({ ...two, processesOnNode: 4 }, nodeLimits({ memory: 16 * gib })).memory).toEqual(memory)
    const huge = nodeLimits({ memory: 16 * gib, residentSet: 2 ** 62 })
    expect(taskShare({ processes: 4, memory: [{ amount: 2 ** 60, source: 'A' }] }, huge).memory).toEqual(memory)
  })

  test('a job without a variable has what Slurm leaves in RLIMIT_RSS', () => {
    // srun --mem=4G: two bound tasks on the node.
    const share = slurmShare(slurmEnvironment('step-3nodes-6tasks-proc0', { SLURM_MEM_PER_NODE: undefined }))
    expect(taskShare(share, nodeLimits({ affinity: 2, residentSet: 4 * gib }))).toEqual({
      cpus: { amount: 2, source: 'SLURM_CPUS_PER_TASK' },
      memory: { amount: 2 * gib, source: 'RLIMIT_RSS ÷ 2 tasks' },
    })
  })

  test('RLIMIT_RSS is read where there is one', () => {
    const limits = (soft: string) =>
      `Limit                     Soft Limit           Hard Limit           Units\nMax resident set          ${soft} unlimited            bytes\nMax processes             96365 96365 processes`
    expect(parseResidentSet(limits('2147483648          '))).toBe(2 * gib)
    expect(parseResidentSet(limits('unlimited           '))).toBeUndefined()
    expect(parseResidentSet('')).toBeUndefined()
  })
})

describe('control groups of version 2', () => {
  const step = '/system.slice/slurmstepd.scope/job_1/step_0'
  const place = { '/proc/self/cgroup': `0::${step}/user/task_0\n` }
  const at = (path: string, name = 'memory.max') => `/sys/fs/cgroup${path}/${name}`

  test('count up the tree', () => {
    const { memory } = inGroups({
      ...place,
      [at(`${step}/user/task_0`)]: 'max\n',
      [at(`${step}/user`)]: 'max\n',
      [at(step)]: '2147483648\n',
      [at('/system.slice')]: '8589934592\n',
    })
    expect(memory).toEqual({ amount: gib, source: `${at(step)} ÷ 2 tasks` })
  })

  test('the smallest counts, wherever it is', () => {
    const files = { ...place, [at(step)]: `${4 * gib}`, [at('/system.slice/slurmstepd.scope')]: `${2 * gib}` }
    expect(inGroups(files).memory.amount).toBe(gib)
    expect(inGroups({ ...files, [at(step, 'memory.high')]: `${gib}` }).memory).toEqual({
      amount: gib / 2,
      source: `${at(step, 'memory.high')} ÷ 2 tasks`,
    })
  })

  test('a limit of the task alone is not divided', () => {
    const files = { ...place, [at(`${step}/user/task_0`)]: `${gib}`, [at(step)]: `${8 * gib}` }
    expect(inGroups(files).memory).toEqual({ amount: gib, source: at(`${step}/user/task_0`) })
  })

  test('time of CPUs and the CPUs to run on count too', () => {
    const quota = { ...place, [at(step, 'cpu.max')]: '300000 100000\n', [at('', 'cpu.max')]: 'max 100000\n' }
    expect(inGroups(quota).cpus).toEqual({ amount: 1.5, source: `${at(step, 'cpu.max')} ÷ 2 tasks` })
  })

  it.each([
    ['a namespace in which the group is the top', '0::/', '/', 'memory.max'],
    ['a namespace from above', '0::/../..', '/', 'memory.max'],
    ['a namespace beside ours', '0::/../other/x', '/', 'memory.max'],
    ['a mount from above the namespace', '0::/', '/../..', 'memory.max'],
    ['a mount of the group itself', '0::/docker/abc', '/docker/abc', 'memory.max'],
  ])('are looked at as far as a container shows them: %s', (_, line, root, name) => {
    const mounts = `31 23 0:28 ${root} /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n`
    const files = { '/proc/self/cgroup': `${line}\n`, [`/sys/fs/cgroup/${name}`]: `${2 * gib}` }
    expect(inGroups(files, mounts).memory.amount).toBe(gib)
  })

  test('of several mounts the one that shows most is taken', () => {
    const mounts =
      '31 23 0:28 /a/b /inner ro - cgroup2 cgroup2 rw\n32 23 0:28 / /with\\040space rw - cgroup2 cgroup2 rw\n'
    const files = { '/proc/self/cgroup': '0::/a/b\n', '/with space/a/memory.max': `${2 * gib}` }
    expect(inGroups(files, mounts).memory.amount).toBe(gib)
  })
})

describe('control groups of version 1', () => {
  const step = '/slurm_node0/uid_0/job_1/step_0'
  const memory = '/sys/fs/cgroup/memory'
  const place = { '/proc/self/cgroup': `9:cpu,cpuacct:/x\n4:memory:${step}/task_0\n3:cpuset:/\n2:hugetlb:/x\n0::/\n` }
  const of = (files: Readonly<Record<string, string>>) => inGroups({ ...place, ...files }, mountsOfVersion1)

  test('count up the tree', () => {
    const share = of({
      [`${memory}${step}/task_0/memory.limit_in_bytes`]: `${noLimit}\n`,
      [`${memory}${step}/memory.limit_in_bytes`]: '4294967296\n',
      [`${memory}/memory.limit_in_bytes`]: `${noLimit}\n`,
    })
    expect(share.memory).toEqual({ amount: 2 * gib, source: `${memory}${step}/memory.limit_in_bytes ÷ 2 tasks` })
  })

  test('tell of groups above a container, too', () => {
    const stat = `cache 0\nhierarchical_memory_limit ${2 * gib}\nhierarchical_memsw_limit ${noLimit}\n`
    expect(of({ [`${memory}${step}/task_0/memory.stat`]: stat }).memory.amount).toBe(gib)
    // The same limit was found on the way up, where it is known whose it is.
    const own = `${memory}${step}/task_0/memory.limit_in_bytes`
    expect(of({ [own]: `${2 * gib}`, [`${memory}${step}/task_0/memory.stat`]: stat }).memory).toEqual({
      amount: 2 * gib,
      source: own,
    })
  })

  test('of CPU time are a quota of a period', () => {
    const cpu = '/sys/fs/cgroup/cpu,cpuacct/x/cpu'
    expect(of({ [`${cpu}.cfs_quota_us`]: '800000\n', [`${cpu}.cfs_period_us`]: '100000\n' }).cpus.amount).toBe(4)
    expect(of({ [`${cpu}.cfs_quota_us`]: '-1\n', [`${cpu}.cfs_period_us`]: '100000\n' }).cpus.amount).toBe(32)
  })

  test('of another kind tell nothing of memory', () => {
    const share = of({
      '/sys/fs/cgroup/hugetlb/x/hugetlb.2MB.limit_in_bytes': '2097152',
      [`${memory}/memory.limit_in_bytes`]: '0',
    })
    expect(share.memory).toEqual({ amount: 2 ** 39, source: "the machine's memory ÷ 2 tasks" })
  })
})

describe('CPUs', () => {
  const group = (cpus: string) =>
    groupLimits(
      textsOf({
        '/proc/self/mountinfo': mountsOfVersion2,
        '/proc/self/cgroup': '0::/job_1/step_0/user/task_0\n',
        '/sys/fs/cgroup/job_1/step_0/user/task_0/cpuset.cpus.effective': '0-3',
        '/sys/fs/cgroup/job_1/cpuset.cpus.effective': cpus,
      }),
    )

  test('of four tasks on two CPUs are half a CPU for each, whatever the affinity is', () => {
    expect(taskShare(slurmShare(slurmEnvironment('overcommit-proc3')), nodeLimits()).cpus).toEqual({
      amount: 0.5,
      source: 'SLURM_CPUS_ON_NODE ÷ 4 tasks',
    })
  })

  test('of a process that is bound to some are its own', () => {
    expect(taskShare(two, nodeLimits({ affinity: 4 })).cpus).toEqual({ amount: 4, source: 'affinity' })
    expect(taskShare(two, nodeLimits({ affinity: 4, groups: group('0-15\n') })).cpus.amount).toBe(4)
  })

  test('of a process that may use all of its job are divided', () => {
    expect(taskShare(two, nodeLimits()).cpus).toEqual({ amount: 32, source: 'affinity ÷ 2 tasks' })
    const ofJob = nodeLimits({ affinity: 4, groups: group('8-10,12\n') })
    expect(taskShare(two, ofJob).cpus).toEqual({ amount: 2, source: 'affinity ÷ 2 tasks' })
  })

  test('of a task that was given some are those, within what it may run on', () => {
    const given = { ...two, cpus: [{ amount: 3, source: 'SLURM_CPUS_PER_TASK' }] }
    expect(taskShare(given, nodeLimits()).cpus.amount).toBe(3)
    expect(taskShare(given, nodeLimits({ cpus: 2, affinity: 2 })).cpus).toEqual({ amount: 2, source: 'affinity' })
  })

  test('are no more than the machine has for all tasks on it', () => {
    expect(taskShare({ ...two, processesOnNode: 8 }, nodeLimits({ affinity: 60 })).cpus).toEqual({
      amount: 8,
      source: "the machine's CPUs ÷ 8 tasks",
    })
  })
})

test('this machine can be looked at', () => {
  const limits = readNodeLimits()
  expect(limits.affinity).toBeGreaterThan(0)
  expect(limits.cpus).toBeGreaterThanOrEqual(1)
  expect(limits.memory).toBeGreaterThan(1e8)
})
