import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Channel, LocalChannel } from '../../src/control/channel.ts'
import type { FromCoordinator, RunResult, ToCoordinator } from '../../src/control/messages.ts'
import type { Failure } from '../../src/record/outcome-record.ts'
import type { PublishedFile } from '../../src/record/scheduler-file.ts'
import type { Role } from '../../src/identity/roles.ts'
import { Coordinator } from '../../src/run/coordinator.ts'

const exclusive: readonly (readonly Role[])[] = [['scheduler'], ['client'], ['worker'], ['worker']]
const shared: readonly (readonly Role[])[] = [['scheduler', 'client', 'worker'], ['worker'], ['worker']]
const withoutClient: readonly (readonly Role[])[] = [['scheduler'], ['worker'], ['worker']]

interface Member {
  readonly channel: Channel<FromCoordinator, ToCoordinator>
  readonly heard: FromCoordinator[]
}

/** A run whose processes are lines within the test. */
function startRun(
  roles: readonly (readonly Role[])[],
  {
    come = roles.map((_, rank) => rank),
    workersEach = 1,
    minWorkers = 1,
    warnOfPaused = async (): Promise<void> => await Promise.resolve(),
  } = {},
) {
  const warnings: string[] = []
  const allCame: number[] = []
  /** How the user was told of the end, and how many messages had been heard by then. */
  const told: { readonly result: RunResult; readonly heard: number }[] = []
  const logger = {
    speaks: true,
    detail: vi.fn(),
    info: vi.fn(),
    error: vi.fn(),
    warn: (message: string) => void warnings.push(message),
  }
  const forget = vi.fn()
  const coordinator = new Coordinator({
    shape: { roles, workersEach, minWorkers, lostAfter: 20_000 },
    logger,
    hasScheduler: true,
    workersTimeout: 60_000,
    watch: {
      begin: vi.fn(),
      mark: async () => await Promise.resolve(),
      tellRunning: async () => await Promise.resolve(),
      tellPresent: async () => await Promise.resolve(),
      add: vi.fn(),
      whyEnded: (rank) => (rank === 3 ? 'nobody reaches it' : undefined),
      forget,
      warnOfPaused,
      formatMissing: async () => await Promise.resolve(''),
      [Symbol.dispose]: vi.fn(),
    },
    server: { port: 1, unref: vi.fn(), close: async () => await Promise.resolve() },
    record: published.dask_hpc_runner,
    arrivals: { begin: vi.fn(), add: vi.fn(), end: vi.fn() },
    tellUser: (result) => void told.push({ result, heard: everybody().flat().length }),
  })
  const join = (
    rank: number,
    closed?: Promise<'silent'>,
    { instance = `process of rank ${rank}`, isHere = true } = {},
  ): Member => {
    const [mine, theirs] = LocalChannel.pair<FromCoordinator, ToCoordinator>()
    const heard: FromCoordinator[] = []
    mine.onMessage((message) => {
      if (!['welcome', 'all-came', 'deputy'].includes(message.type)) heard.push(message)
      if (message.type === 'all-came') allCame.push(rank)
    })
    const caller = { rank, host: `node${rank}`, pid: 4711, instance }
    coordinator.add(caller, closed === undefined ? theirs : closingBy(theirs, closed))
    if (isHere) mine.send({ type: 'here' })
    return { channel: mine, heard }
  }
  const observe = (): Member => {
    const [mine, theirs] = LocalChannel.pair<FromCoordinator, ToCoordinator>()
    const heard: FromCoordinator[] = []
    mine.onMessage((message) => heard.push(message))
    coordinator.addObserver(theirs)
    return { channel: mine, heard }
  }
  const members = new Map(come.map((rank) => [rank, join(rank)]))
  const member = (rank: number): Member => members.get(rank) ?? expect.fail(`rank ${rank} has not come`)
  const everybody = (): FromCoordinator[][] => [...members.values()].map(({ heard }) => heard)
  return { coordinator, warnings, allCame, told, forget, member, join, observe, everybody }
}

/** The channel of a process that is lost in that way. */
function closingBy<In, Out>(channel: Channel<In, Out>, closed: Promise<'silent'>): Channel<In, Out> {
  return {
    closed,
    send: (message) => {
      channel.send(message)
    },
    onMessage: (listener) => {
      channel.onMessage(listener)
    },
    end: () => undefined,
    destroy: () => undefined,
    unref: () => undefined,
  }
}

/** Loses the process behind a channel: its connection closes without a word. */
async function lose({ channel }: Member): Promise<void> {
  channel.end()
  await channel.closed
  await settle()
}

async function settle(): Promise<void> {
  await new Promise((next) => setImmediate(next))
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const seen = vi.fn()
  void promise.then(seen)
  await settle()
  return seen.mock.calls.length > 0
}

const workerEnded = (status: number, message = 'Worker 2 ended'): ToCoordinator => ({
  type: 'worker-ended',
  status,
  again: false,
  message,
  last_lines: ['its last words'],
})
const published: PublishedFile = {
  type: 'Scheduler',
  id: 'Scheduler-1',
  address: 'tcp://10.0.0.1:8786',
  dask_hpc_runner: {
    version: 1,
    run_key: 'sim-7.0-r0',
    nonce: 'n',
    host: 'node0',
    pid: 1,
    control: { addresses: ['10.0.0.1'], port: 1, network: 'x' },
    secret: 's',
    n_workers: 2,
  },
}
const failureOf = (rank: number, message: string): Failure => ({
  status: 69,
  message,
  rank,
  host: `node${rank}`,
  last_lines: [],
})

afterEach(() => {
  vi.useRealTimers()
})

describe('Coordinator', () => {
  it('tells one result only, the first', () => {
    const { coordinator, member } = startRun(exclusive)
    member(1).channel.send({ type: 'ended', status: 0 })
    coordinator.fail(failureOf(0, 'The scheduler ended'))
    member(2).channel.send({ type: 'failed', failure: failureOf(2, 'too late') })
    coordinator.end(4)
    expect(member(3).heard).toEqual([{ type: 'end', status: 0, forced: false }])
  })

  it('tells each once that all have come, and one that joins again', () => {
    const { allCame, join } = startRun(exclusive, { come: [0, 1, 2] })
    expect(allCame).toEqual([])
    join(3)
    expect(allCame.toSorted()).toEqual([0, 1, 2, 3])
    join(1)
    expect(allCame.toSorted()).toEqual([0, 1, 1, 2, 3])
  })

  it('ends the run as failed when the process of the client is lost', async () => {
    const { member } = startRun(exclusive)
    await lose(member(1))
    expect(member(2).heard).toEqual([
      {
        type: 'end',
        status: 69,
        forced: false,
        failure: failureOf(1, 'Lost rank 1 (client) on node1: it ended without a word'),
      },
    ])
  })

  it('goes on, with a warning, when a worker is lost and others remain', async () => {
    const { member, everybody, warnings } = startRun(exclusive)
    await lose(member(2))
    expect(everybody().flat()).toEqual([])
    expect(warnings).toEqual([
      'Lost rank 2 (worker) on node2: it ended without a word; the run goes on with the other workers',
    ])
  })

  it('ends the run as failed when the last worker is lost', async () => {
    const { member } = startRun(exclusive)
    await lose(member(3))
    member(2).channel.send(workerEnded(1))
    expect(member(1).heard).toEqual([
      {
        type: 'end',
        status: 69,
        forced: false,
        failure: {
          status: 69,
          message: 'Worker 2 ended; no worker is left',
          rank: 2,
          role: 'worker',
          host: 'node2',
          last_lines: ['its last words'],
        },
      },
    ])
  })

  it('names why a worker may have ended in peace that the scheduler had given up', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { member, warnings } = startRun(exclusive)
    member(3).channel.send(workerEnded(0, 'Worker 3 exited with status 0'))
    member(2).channel.send(workerEnded(0, 'Worker 2 exited with status 0'))
    vi.advanceTimersByTime(1_500)
    expect(member(1).heard).toMatchObject([
      { failure: { message: 'Worker 3 exited with status 0: nobody reaches it; no worker is left' } },
    ])
    expect(warnings).toEqual([])
  })

  it('counts workers that have not come yet as left', async () => {
    const { member, everybody } = startRun(exclusive, { come: [0, 1, 2] })
    await lose(member(2))
    expect(everybody().flat()).toEqual([])
  })

  it('counts the worker of a rank that comes after its host was given up', async () => {
    const { coordinator, member, join, everybody } = startRun(exclusive, { come: [0, 1, 2] })
    coordinator.depart({ rank: 3, silent: true })
    expect([coordinator.missing, coordinator.silent]).toEqual([[], [3]])
    join(3)
    await lose(member(2))
    expect(everybody().flat()).toEqual([])
    // It holds the step no more.
    expect(coordinator.silent).toEqual([])
  })

  it('counts each worker of a process that has several', () => {
    const { member, everybody } = startRun([['scheduler'], ['client'], ['worker']], { workersEach: 2 })
    member(2).channel.send(workerEnded(1))
    expect(everybody().flat()).toEqual([])
    member(2).channel.send(workerEnded(1))
    expect(member(1).heard).toMatchObject([{ type: 'end', status: 69 }])
  })

  it('does not count the workers of a lost process twice', async () => {
    const { member, everybody } = startRun(exclusive)
    member(2).channel.send(workerEnded(1))
    await lose(member(2))
    expect(everybody().flat()).toEqual([])
    await lose(member(3))
    expect(member(1).heard).toMatchObject([{ type: 'end', status: 69 }])
  })

  it('ends where the client waits for more than are left, with what was lost before', () => {
    const { member, everybody } = startRun(exclusive)
    member(2).channel.send(workerEnded(1))
    member(1).channel.send({ type: 'await-workers', count: 1 })
    expect(everybody().flat()).toEqual([])
    member(1).channel.send({ type: 'await-workers', count: 2 })
    const message = 'Worker 2 ended; 1 of the 2 workers that are needed are left'
    expect(member(1).heard).toMatchObject([{ type: 'end', status: 69, failure: { message, rank: 2 } }])
  })

  it('ends a run without a client as its last worker ends', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const peaceful = startRun(withoutClient)
    peaceful.member(1).channel.send(workerEnded(0))
    expect(peaceful.everybody().flat()).toEqual([])
    peaceful.member(2).channel.send(workerEnded(0))
    vi.advanceTimersByTime(1_500)
    expect(peaceful.member(0).heard).toEqual([{ type: 'end', status: 0, forced: false }])

    const failing = startRun(withoutClient)
    failing.member(1).channel.send(workerEnded(0))
    failing.member(2).channel.send(workerEnded(1))
    expect(failing.member(0).heard).toMatchObject([{ status: 69, failure: { rank: 2 } }])
  })

  it('fails a run with a client that has lost its workers, even if they ended in peace', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { member } = startRun(exclusive)
    member(2).channel.send(workerEnded(0))
    member(3).channel.send(workerEnded(0))
    vi.advanceTimersByTime(1_400)
    expect(member(1).heard).toEqual([])
    vi.advanceTimersByTime(100)
    expect(member(1).heard).toMatchObject([{ type: 'end', status: 69, failure: { rank: 2 } }])
  })

  it('takes the end of workers for no cause where the scheduler has ended', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { coordinator, member } = startRun(exclusive)
    for (const rank of [2, 3]) member(rank).channel.send(workerEnded(0))
    coordinator.schedulerEnded()
    vi.advanceTimersByTime(10_000)
    expect(member(1).heard).toEqual([])
  })

  it('goes on while a crashed worker is started again, and says so', () => {
    const { member, everybody, warnings } = startRun([['scheduler'], ['client'], ['worker']])
    member(2).channel.send({ type: 'worker-ended', status: 137, again: true, message: 'Worker 2 died', last_lines: [] })
    expect(everybody().flat()).toEqual([])
    expect(warnings).toEqual(['Worker 2 died; it is started again'])
  })

  it.each([
    ['the least number', { minWorkers: 2 }, undefined],
    ['the number that the client waits for', {}, 2],
  ])('ends the run as failed when fewer workers are left than %s', (_, options, needed) => {
    const { member } = startRun(exclusive, options)
    if (needed !== undefined) member(1).channel.send({ type: 'await-workers', count: needed })
    member(3).channel.send(workerEnded(1))
    expect(member(1).heard).toMatchObject([
      { type: 'end', status: 69, failure: { message: 'Worker 2 ended; 1 of the 2 workers that are needed are left' } },
    ])
  })

  it('tells where the cluster is to those who have come and to those who come', () => {
    const { coordinator, member, join } = startRun(exclusive, { come: [0, 1] })
    coordinator.publish(published)
    const cluster = { type: 'cluster', file: published }
    expect(member(1).heard).toEqual([cluster])
    expect(join(2).heard).toEqual([cluster])
  })

  it('tells of a cluster of thousands of workers in a message that is none too long', () => {
    const { coordinator } = startRun(exclusive)
    const worker = { metrics: 'x'.repeat(700) }
    const workers = Array.from({ length: 3_000 }, (_, i) => [`tcp://10.0.0.1:${i}`, worker] as const)
    const file = coordinator.announce({ ...published, workers: Object.fromEntries<object>(workers) }, undefined)
    expect(JSON.stringify(file).length).toBeLessThan(1_000_000)
  })

  it('fails with the word of a process that ended before it had joined', () => {
    const { coordinator, member } = startRun(exclusive, { come: [0, 2, 3] })
    const failure = { ...failureOf(1, 'Cannot find a Python that has Dask'), status: 78 }
    coordinator.depart({ rank: 1, failure })
    expect(member(2).heard).toEqual([{ type: 'end', status: 78, failure, forced: false }])
  })

  it('tells the user how the run ends before anybody else of it', () => {
    const { coordinator, told, member } = startRun(exclusive)
    const failure = failureOf(0, 'The scheduler ended')
    coordinator.fail(failure)
    member(2).channel.send({ type: 'signal', signal: 'SIGTERM', again: true })
    expect(told[0]).toEqual({ result: { status: 69, failure, forced: false }, heard: 0 })
  })

  it('remembers who fell silent, and says it while the run goes on', async () => {
    const { coordinator, join, forget } = startRun(exclusive, { come: [0, 1, 2] })
    let fall!: (how: 'silent') => void
    const closed = new Promise<'silent'>((resolve) => (fall = resolve))
    join(3, closed)
    fall('silent')
    await settle()
    expect(coordinator.silent).toEqual([3])
    expect(forget.mock.calls).toEqual([[3]])
  })

  it('lets a observer end the run as a TERM does, or well where there is no client', () => {
    const withClient = startRun(exclusive)
    withClient.observe().channel.send({ type: 'stop' })
    expect(withClient.member(1).heard).toEqual([{ type: 'terminate', signal: 'SIGTERM' }])
    const without = startRun(withoutClient)
    const observer = without.observe()
    observer.channel.send({ type: 'stop' })
    expect(observer.heard).toEqual([{ type: 'end', status: 0, forced: false }])
    expect(without.member(1).heard).toEqual([{ type: 'end', status: 0, forced: false }])
  })

  it('passes a failure on as it was told, to those that come late too', () => {
    const { member, join } = startRun(exclusive, { come: [0, 1] })
    const failure = { ...failureOf(1, 'Cannot find a Python that has Dask'), status: 78 }
    member(1).channel.send({ type: 'failed', failure })
    const end = { type: 'end', status: 78, failure, forced: false }
    expect(member(0).heard).toEqual([end])
    expect(join(2).heard).toEqual([end])
    expect(join(3).heard).toEqual([end])
  })

  it('does without a process that was to host workers alone and cannot', () => {
    const { member, everybody, warnings } = startRun(exclusive)
    member(2).channel.send({
      type: 'failed',
      failure: { ...failureOf(2, 'Cannot find a Python that has Dask'), status: 78 },
    })
    expect(everybody().flat()).toEqual([])
    expect(warnings).toEqual([
      'Cannot find a Python that has Dask (rank 2 on node2); the run goes on with the other workers',
    ])
    member(3).channel.send({
      type: 'failed',
      failure: { ...failureOf(3, 'Cannot find a Python that has Dask'), status: 78 },
    })
    expect(member(1).heard).toMatchObject([{ type: 'end', status: 78, failure: { rank: 3 } }])
  })

  it('says, when the client program has failed, that workers were killed because of their memory, and asks for paused ones', async () => {
    const warnOfPaused = vi.fn(async () => await Promise.resolve())
    const { member, warnings } = startRun(exclusive, { warnOfPaused })
    const killed = { ...workerEnded(137, 'Worker 2 was killed'), again: true, of_memory: true } as const
    for (const channel of [member(2).channel, member(3).channel]) channel.send(killed)
    expect(warnings.splice(0)).toEqual(Array.from({ length: 2 }, () => 'Worker 2 was killed; it is started again'))
    member(1).channel.send({ type: 'ended', status: 1 })
    expect(warnings).toEqual(['workers were killed because of their memory in this run, 2 times: see above'])
    await settle()
    expect(warnOfPaused).toHaveBeenCalledOnce()
    expect(member(0).heard).toEqual([{ type: 'end', status: 1, forced: false }])
  })

  it('says nothing of memory when a program ends after the run has failed for it', async () => {
    const warnOfPaused = vi.fn(async () => await Promise.resolve())
    const { member, warnings } = startRun(exclusive, { warnOfPaused, minWorkers: 2 })
    const killed = { ...workerEnded(137), of_memory: true }
    member(2).channel.send(killed)
    member(1).channel.send({ type: 'ended', status: 143 })
    await settle()
    expect(member(0).heard).toMatchObject([{ type: 'end', failure: { rank: 2 } }])
    expect(warnings).toEqual([])
    expect(warnOfPaused).not.toHaveBeenCalled()
  })

  it('tells of the end at once, also of a program that has failed: its process may be ending', () => {
    const warnOfPaused = vi.fn(async () => await new Promise<void>(() => undefined))
    const { member } = startRun(exclusive, { warnOfPaused })
    member(1).channel.send({ type: 'ended', status: 1 })
    expect(member(2).heard).toEqual([{ type: 'end', status: 1, forced: false }])
  })

  it('forces an end that was under way, and keeps its status and cause', () => {
    const { coordinator, member } = startRun(exclusive)
    const failure = failureOf(0, 'The scheduler ended')
    coordinator.fail(failure)
    for (let i = 0; i < 2; i++) member(2).channel.send({ type: 'signal', signal: 'SIGTERM', again: true })
    expect(member(3).heard).toEqual([
      { type: 'end', status: 69, failure, forced: false },
      { type: 'end', status: 69, failure, forced: true },
    ])
  })

  it('has rank 0 decide at a signal where there is no client', () => {
    const { everybody, member } = startRun(withoutClient)
    member(2).channel.send({ type: 'signal', signal: 'SIGTERM', again: false })
    expect(everybody()).toEqual([[{ type: 'terminate', signal: 'SIGTERM' }], [], []])
  })

  it('ends at once at a signal where the client has not come', () => {
    const { member } = startRun(exclusive, { come: [0, 2, 3] })
    member(2).channel.send({ type: 'signal', signal: 'SIGTERM', again: false })
    expect(member(0).heard).toEqual([{ type: 'end', status: 143, forced: false }])
  })

  it('refuses another process that claims the same rank, and says why', async () => {
    const { member, join, everybody, warnings } = startRun(exclusive)
    const second = join(1, undefined, { instance: 'another process' })
    await second.channel.closed
    second.channel.send({ type: 'ended', status: 9 })
    await settle()
    expect(everybody().flat()).toEqual([])
    const why =
      'another process claims to be rank 1 of this run (process id 4711 on node1); ' +
      "were Slurm's variables copied by ssh?"
    expect(warnings).toEqual([`a process on node1 is not taken in: ${why}`])
    expect(second.heard).toEqual([{ type: 'refused', why }])
    member(1).channel.send({ type: 'ended', status: 0 })
    expect(member(0).heard).toMatchObject([{ status: 0 }])
  })

  it('refuses a rank that the run does not have', () => {
    const { join } = startRun(exclusive)
    expect(join(4).heard).toEqual([{ type: 'refused', why: 'there is no rank 4 in this run of 4 processes' }])
  })

  it('takes a newer channel of the same process in the place of the older one', async () => {
    const { coordinator, member, join, everybody, warnings } = startRun(exclusive)
    const newer = join(1)
    await member(1).channel.closed
    await settle()
    expect([everybody().flat(), warnings]).toEqual([[], []])
    coordinator.publish(published)
    expect(newer.heard).toEqual([{ type: 'cluster', file: published }])
    newer.channel.send({ type: 'ended', status: 0 })
    expect(member(0).heard.at(-1)).toMatchObject({ type: 'end', status: 0 })
  })

  it('waits a moment for a process whose channel breaks before it knows that it is welcome', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { member, join } = startRun(exclusive, { come: [0, 2, 3] })
    await lose(join(1, undefined, { isHere: false }))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(member(0).heard).toEqual([])
    const again = join(1)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(member(0).heard).toEqual([])
    again.channel.send({ type: 'ended', status: 0 })
    expect(member(0).heard).toMatchObject([{ status: 0 }])
  })

  it('gives up a process whose channel breaks before it knows that it is welcome, and which does not come again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { member, join } = startRun(exclusive, { come: [0, 2, 3] })
    await lose(join(1, undefined, { isHere: false }))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(member(0).heard).toMatchObject([{ type: 'end', status: 69 }])
  })

  it('says who has not come', () => {
    const { coordinator, join } = startRun(exclusive, { come: [0, 2] })
    expect(coordinator.missing).toEqual([1, 3])
    join(3)
    expect(coordinator.missing).toEqual([1])
  })

  it('knows when everybody but rank 0 has ended what it hosted', async () => {
    const { coordinator, member } = startRun(exclusive)
    member(1).channel.send({ type: 'ended', status: 0 })
    for (const rank of [1, 2]) member(rank).channel.send({ type: 'done' })
    expect(await isSettled(coordinator.everybodyDone)).toBe(false)
    member(3).channel.send({ type: 'done' })
    expect(await isSettled(coordinator.everybodyDone)).toBe(true)
  })

  it('counts a lost process as done, and one that never came as not', async () => {
    const { coordinator, member, join } = startRun(exclusive, { come: [0, 1, 2] })
    member(1).channel.send({ type: 'ended', status: 0 })
    member(1).channel.send({ type: 'done' })
    await lose(member(2))
    expect(await isSettled(coordinator.everybodyDone)).toBe(false)
    join(3).channel.send({ type: 'done' })
    expect(await isSettled(coordinator.everybodyDone)).toBe(true)
  })

  it('takes no alarm at a process that closes its line after it was done', async () => {
    const { member, warnings } = startRun(exclusive)
    member(1).channel.send({ type: 'ended', status: 0 })
    for (const rank of [1, 2, 3]) {
      member(rank).channel.send({ type: 'done' })
      await lose(member(rank))
    }
    expect(warnings).toEqual([])
    expect(member(0).heard).toEqual([{ type: 'end', status: 0, forced: false }])
  })

  it('waits for nobody in a run of one', async () => {
    const { coordinator, member } = startRun([['scheduler', 'client', 'worker']])
    member(0).channel.send({ type: 'ended', status: 2 })
    await settle()
    expect(member(0).heard).toEqual([{ type: 'end', status: 2, forced: false }])
    expect(await isSettled(coordinator.everybodyDone)).toBe(true)
  })

  it('counts the worker of rank 0 in the shared layout', async () => {
    const { member, everybody } = startRun(shared)
    await lose(member(1))
    await lose(member(2))
    expect(everybody().flat()).toEqual([])
    member(0).channel.send(workerEnded(1, 'Worker 0 ended'))
    expect(member(0).heard).toMatchObject([{ failure: { rank: 0, message: 'Worker 0 ended; no worker is left' } }])
  })
})
