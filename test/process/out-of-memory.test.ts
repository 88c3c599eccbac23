import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { formatOutOfMemory, OutOfMemoryWatch } from '../../src/process/out-of-memory.ts'
import { mountsOfVersion1, mountsOfVersion2, noLimit } from '../support/node-limits.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'hrtime'] })
})
afterEach(() => {
  vi.useRealTimers()
})

type Files = Readonly<Record<string, string>>

/** A machine with these files, which change; something runs on it. */
async function machine(files: Files) {
  const now: Record<string, string> = { ...files }
  const watch = new OutOfMemoryWatch(async (path) => await Promise.resolve(now[path]))
  watch.add()
  // What it is compared with has been read.
  await vi.advanceTimersByTimeAsync(0)
  return { watch, set: (changes: Files) => void Object.assign(now, changes) }
}

const step = '/system.slice/slurmstepd.scope/job_1/step_0'
const events = (oom: number, killed: number) =>
  `low 0\nhigh 0\nmax 9\noom ${oom}\noom_kill ${killed}\noom_group_kill 0\n`

describe('control groups of version 2', () => {
  const at = (path: string, name: string) => `/sys/fs/cgroup${path}/${name}`
  const task = `${step}/user/task_0`
  const files = {
    '/proc/self/mountinfo': mountsOfVersion2,
    '/proc/self/cgroup': `0::${task}\n`,
    [at(task, 'memory.max')]: 'max\n',
    [at(task, 'memory.events')]: events(0, 0),
    [at(`${step}/user`, 'memory.max')]: 'max\n',
    [at(`${step}/user`, 'memory.events')]: events(0, 0),
    [at(step, 'memory.max')]: `${2 ** 31}\n`,
    [at(step, 'memory.events')]: events(2, 1),
    [at('/system.slice', 'memory.max')]: `${2 ** 40}\n`,
    [at('/system.slice', 'memory.events')]: events(7, 5),
  }

  test('name the limit that was reached, of a group above', async () => {
    const { watch, set } = await machine(files)
    set({
      [at(task, 'memory.events')]: events(0, 1),
      [at(`${step}/user`, 'memory.events')]: events(0, 1),
      [at(step, 'memory.events')]: events(3, 2),
      [at('/system.slice', 'memory.events')]: events(8, 6),
    })
    const found = await watch.find()
    expect(found).toEqual({ limit: { amount: 2 ** 31, file: at(step, 'memory.max') } })
    expect(found && formatOutOfMemory(found)).toBe(
      `its control group had used all memory that it may have: 2 GiB (${at(step, 'memory.max')})`,
    )
  })

  test('that have killed nothing are not the cause, though a limit was reached', async () => {
    const { watch, set } = await machine(files)
    expect(await watch.find()).toBeUndefined()
    // Another task of the step was killed.
    set({ [at(step, 'memory.events')]: events(3, 2) })
    expect(await watch.find()).toBeUndefined()
  })

  test('none of which has reached its limit leave the machine', async () => {
    const { watch, set } = await machine(files)
    set({ [at(task, 'memory.events')]: events(0, 1) })
    const found = await watch.find()
    expect(found).toEqual({})
    expect(found && formatOutOfMemory(found)).toBe(
      'the machine, or a control group that cannot be seen here, had no memory left',
    )
  })

  test('count for what ends with what was killed, and not for what ends later', async () => {
    const { watch, set } = await machine(files)
    set({ [at(task, 'memory.events')]: events(1, 1), [at(task, 'memory.max')]: '1048576\n' })
    expect(await watch.find()).toBeDefined()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await watch.find()).toBeDefined()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await watch.find()).toBeUndefined()
    // What another process of the group has lost, which nobody has asked for here.
    set({ [at(task, 'memory.events')]: events(2, 2) })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await watch.find()).toBeUndefined()
  })

  test('begin anew with what is started later', async () => {
    const { watch, set } = await machine(files)
    watch.remove()
    expect(vi.getTimerCount()).toBe(0)
    set({ [at(task, 'memory.events')]: events(1, 1) })
    watch.add()
    expect(await watch.find()).toBeUndefined()
  })
})

describe('control groups of version 1', () => {
  const task = '/sys/fs/cgroup/memory/slurm_node0/uid_0/job_1/step_0/task_0'
  const above = task.replace('/task_0', '')
  const control = (killed: number) => `oom_kill_disable 0\nunder_oom 0\noom_kill ${killed}\n`
  const files = {
    '/proc/self/mountinfo': mountsOfVersion1,
    '/proc/self/cgroup': `4:memory:${task.replace('/sys/fs/cgroup/memory', '')}\n3:cpuset:/\n0::/\n`,
    [`${task}/memory.oom_control`]: control(0),
    [`${task}/memory.failcnt`]: '0\n',
    [`${task}/memory.limit_in_bytes`]: `${noLimit}\n`,
    [`${above}/memory.oom_control`]: control(0),
    [`${above}/memory.failcnt`]: '12\n',
    [`${above}/memory.limit_in_bytes`]: `${2 ** 29}\n`,
    [`${above}/memory.memsw.failcnt`]: '0\n',
    [`${above}/memory.memsw.limit_in_bytes`]: `${2 ** 28}\n`,
  }

  test('name the limit that was reached, of a group above', async () => {
    const { watch, set } = await machine(files)
    expect(await watch.find()).toBeUndefined()
    // It counts in the group of what was killed alone.
    set({ [`${task}/memory.oom_control`]: control(1), [`${above}/memory.failcnt`]: '40\n' })
    expect(await watch.find()).toEqual({ limit: { amount: 2 ** 29, file: `${above}/memory.limit_in_bytes` } })
  })

  test('name that of memory and swap together', async () => {
    const { watch, set } = await machine(files)
    set({ [`${task}/memory.oom_control`]: control(1), [`${above}/memory.memsw.failcnt`]: '1\n' })
    expect(await watch.find()).toEqual({ limit: { amount: 2 ** 28, file: `${above}/memory.memsw.limit_in_bytes` } })
  })

  test('say nothing before Linux 4.13, which did not count', async () => {
    const old = 'oom_kill_disable 0\nunder_oom 0\n'
    const { watch, set } = await machine({ ...files, [`${task}/memory.oom_control`]: old })
    set({ [`${above}/memory.failcnt`]: '40\n' })
    expect(await watch.find()).toBeUndefined()
  })
})

test('where there are no control groups, nothing is known', async () => {
  const { watch } = await machine({})
  expect(await watch.find()).toBeUndefined()
})

test('a file that does not answer is not waited for, and is read again when it does', async () => {
  const file = '/sys/fs/cgroup/memory.events'
  const files: Files = { '/proc/self/mountinfo': mountsOfVersion2, '/proc/self/cgroup': '0::/\n' }
  let killed = 0
  let answer: (() => void) | undefined
  let isStuck = false
  const reads = vi.fn()
  const watch = new OutOfMemoryWatch(async (path) => {
    if (path !== file) return files[path]
    reads()
    if (isStuck) await new Promise<void>((resolve) => (answer = resolve))
    return events(0, killed)
  })
  watch.add()
  await vi.advanceTimersByTimeAsync(0)
  isStuck = true
  killed = 1
  const first = watch.find()
  await vi.advanceTimersByTimeAsync(500)
  expect(await first).toBeUndefined()
  const count = reads.mock.calls.length
  expect(await watch.find()).toBeUndefined()
  expect(reads.mock.calls.length).toBe(count)
  isStuck = false
  answer?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(await watch.find()).toEqual({})
})
