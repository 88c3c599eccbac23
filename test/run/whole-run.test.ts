import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RunnerError } from '../../src/errors.ts'
import { InterruptedError } from '../../src/identity/run-context.ts'
import { deferred } from '../../src/util/deferred.ts'
import { WholeRun } from './support/whole-run.ts'

/** The path of a program that was written for another way to start Dask. */
const existing = (name: string): string => join(import.meta.dirname, '../../fixtures/existing', name)

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance', 'hrtime'],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a run whose program ends', () => {
  it.each([6, 64])('tells of itself in the same lines with %i ranks, by rank 0 alone', async (size) => {
    const run = new WholeRun(size)
    run.start()
    const program = await run.program()
    await run.until(() => run.whoSaid('workers are there').length > 0)
    program.end(0)
    expect(new Set(await run.end())).toEqual(new Set([0]))
    expect(run.log).toEqual([
      expect.stringMatching(`^\\[0 scheduler\\] run sim-7\\.0-r0: ${size} processes on `),
      expect.stringMatching(`^\\[0 scheduler\\] cluster at tcp://10\\.0\\.0\\.1:8786, ${size - 2} workers to come, `),
      expect.stringMatching(`^\\[0 scheduler\\] all ${size - 2} workers are there, after `),
    ])
  })

  it('tells of all that its ranks do if it is verbose', async () => {
    const run = new WholeRun(4, { verbose: true })
    run.start()
    const program = await run.program()
    program.end(0)
    await run.end()
    expect(run.whoSaid('joined the run of rank 0 on node0').sort()).toEqual(['[1 client]', '[2 worker]', '[3 worker]'])
  })

  it.each([
    [0, 1],
    [3, 1],
    [126, 0],
    [127, 0],
  ])('with %i, and was no client, is told so %i times: one that did not begin could be none', async (status, times) => {
    const run = new WholeRun(4)
    run.start()
    const program = await run.program()
    const { scheduler } = run.rank(0).components
    if (scheduler !== undefined) scheduler.hadClient = false
    program.end(status)
    expect(await run.end()).toEqual([0, status, 0, 0])
    expect(run.whoSaid('no client has connected')).toHaveLength(times)
  })

  it.each([
    [0, true, []],
    [3, true, ['[1 client] warn: "branches.py" has Client(processes=…), and if ']],
    [0, false, ['[0 scheduler] no client has connected', '"branches.py" names LocalCluster(), and if ']],
  ])('with %i, and was a client: %o, is told what its script may have done wrong', async (status, came, said) => {
    const run = new WholeRun(4, { command: ['true', existing('branches.py')] })
    run.start()
    const program = await run.program()
    const { scheduler } = run.rank(0).components
    if (scheduler !== undefined) scheduler.hadClient = came
    program.end(status)
    expect(await run.end()).toEqual([0, status, 0, 0])
    const lines = run.log.filter((line) => line.includes('branches.py'))
    expect(lines).toHaveLength(Math.min(said.length, 1))
    for (const part of said) expect(lines[0]?.replace(existing('branches.py'), 'branches.py')).toContain(part)
  })

  it.each([
    ['python3', ['[1 client]']],
    ['srun', []],
  ])('tells at once of a script that surely waits for ever, started by %s', async (starter, who) => {
    const command: [string, ...string[]] = [starter, existing('wrong_file.py')]
    const run = new WholeRun(4, { command, python: '/usr/bin/true', env: { SLURM_PROCID: '1' } })
    run.start()
    const program = await run.program()
    await run.until(() => run.whoSaid('workers are there').length > 0)
    // It reads the script meanwhile.
    if (who.length > 0) await run.until(() => run.whoSaid('nobody-writes-it').length > 0)
    program.end(0)
    await run.end()
    expect(run.whoSaid('which waits for the scheduler file "nobody-writes-it.json"')).toEqual(who)
  })

  it.each([0, 3])(
    'with %i gives the status of its rank, and the others end with 0, the scheduler last',
    async (status) => {
      const run = new WholeRun(4)
      run.start()
      const program = await run.program()
      await run.until(() => run.rank(2).components.workers[0] && run.rank(3).components.workers[0])
      program.end(status)
      expect(await run.end()).toEqual([0, status, 0, 0])
      expect(run.whoSaid('error')).toEqual([])
      const [workers, scheduler] = [/^[23]: worker \d exited/, '0: scheduler exited with status 0']
      expect(run.did.filter((what) => workers.test(what)).length).toBe(2)
      expect(run.did.indexOf(scheduler)).toBeGreaterThan(run.did.findLastIndex((what) => workers.test(what)))
      // Rank 1 sees to it that rank 0 ends.
      const last = run.did.slice(run.did.indexOf(scheduler))
      expect(last.slice(0, 2)).toEqual([scheduler, '0: withdrew'])
      expect(last.slice(2).sort()).toEqual(['0: cleaned up', '1: cleaned up'])
      expect(run.did.filter((what) => what.includes('cancelled') || what.includes('woke'))).toEqual([])
    },
  )
})

it('names a scheduler that the client does not reach, and not the program that fails for it before that is sure', async () => {
  const run = new WholeRun(4)
  run.start()
  const cannot = new RunnerError('Cannot use the scheduler: it cannot be reached', { code: 'ERR_UNAVAILABLE' })
  const reach = deferred<undefined>()
  run.rank(1).reach = reach.promise
  const program = await run.program()
  program.end(1)
  await run.pass(1_000)
  expect(run.statuses.size).toBe(0)
  reach.reject(cannot)
  expect(await run.end()).toEqual([69, 69, 69, 69])
  expect(run.whoSaid(`error: ${cannot.message}`)).toEqual(['[0 scheduler]'])
})

it.each([
  ['branches.py', 1],
  ['ways.txt', 0],
])('ended by a signal before a client has connected, it says so if "%s" may be why', async (script, times) => {
  const run = new WholeRun(4, { command: ['true', existing(script)] })
  run.start()
  const program = await run.program()
  const { scheduler } = run.rank(0).components
  if (scheduler !== undefined) scheduler.hadClient = false
  for (const rank of [0, 1, 2, 3]) run.rank(rank).signals.emit('SIGTERM')
  program.end(143)
  await run.end()
  expect(run.whoSaid('names LocalCluster(), and if ')).toHaveLength(times)
  expect(run.whoSaid('no client has connected')).toHaveLength(times)
})

it('ends with a program that a signal has ended while it was looked whether the scheduler is reached', async () => {
  const run = new WholeRun(4)
  run.start()
  const reach = deferred<undefined>()
  run.rank(1).reach = reach.promise
  const program = await run.program()
  for (const rank of [0, 1, 2, 3]) run.rank(rank).signals.emit('SIGTERM')
  reach.reject(new InterruptedError('SIGTERM'))
  program.end(137)
  expect((await run.end())[1]).toBe(137)
})

it('does not wait for that answer once a signal ends the run', async () => {
  const run = new WholeRun(4)
  run.start()
  run.rank(1).reach = deferred<undefined>().promise
  const program = await run.program()
  for (const rank of [0, 1, 2, 3]) run.rank(rank).signals.emit('SIGTERM')
  program.end(143)
  expect((await run.end())[1]).toBe(143)
})

describe('a scheduler that dies', () => {
  it('before it runs ends all ranks with 69, and rank 0 tells the cause with its last words, once', async () => {
    const run = new WholeRun(4)
    run.start()
    run.rank(0).components.doStart = false
    await run.until(() => run.rank(0).components.scheduler)
    run.rank(0).components.scheduler?.end(1)
    expect(await run.end()).toEqual([69, 69, 69, 69])
    expect(run.errors()).toEqual(['[0 scheduler] error: Cannot start scheduler: its last words'])
    expect(run.whoSaid('error: | its last words')).toEqual(['[0 scheduler]'])
    expect(run.did).toContain('0: published the outcome 69')
    expect(run.did).not.toContain('0: published')
  })

  it('while the program runs ends it by TERM, and all ranks with 69', async () => {
    const run = new WholeRun(4)
    run.start()
    const program = await run.program()
    run.rank(0).components.scheduler?.end(0, 'SIGKILL')
    expect(await run.end()).toEqual([69, 69, 69, 69])
    expect(program.signals).toEqual(['SIGTERM'])
    expect(run.errors()).toEqual(['[0 scheduler] error: The scheduler on node0 was killed by SIGKILL: its last words'])
    expect(run.whoSaid('error: | its last words')).toEqual(['[0 scheduler]'])
  })

  it('in peace gives the program its grace, and is then the cause', async () => {
    const run = new WholeRun(4)
    run.start()
    const program = await run.program()
    run.rank(0).components.scheduler?.end(0)
    await run.until(() => run.whoSaid('the client program has 6 s to end').length > 0)
    program.isStubborn = true
    expect(await run.end()).toEqual([69, 69, 69, 69])
    expect(run.did).toContain('1: program was killed by SIGKILL')
    expect(run.whoSaid('exited with status 0 before the client program')).toEqual(['[0 scheduler]'])
  })
})

it('gives a program that has closed the scheduler, and uses it no more, all the time that it wants', async () => {
  const run = new WholeRun(4)
  run.start()
  const program = await run.program()
  const { scheduler } = run.rank(0).components
  if (scheduler !== undefined) scheduler.clientsHadLeft = true
  for (const { components } of [2, 3].map((rank) => run.rank(rank))) components.workers[0]?.end(0)
  scheduler?.end(0)
  await run.pass(3_600_000)
  expect(run.statuses.size).toBe(0)
  program.end(3)
  expect(await run.end()).toEqual([0, 3, 0, 0])
  expect(program.signals).toEqual([])
  expect(run.whoSaid('the client program goes on without the cluster')).toEqual(['[0 scheduler]'])
})

it('a signal to rank 0 alone, before it listens, ends the run: those that wait for it find its word', async () => {
  const run = new WholeRun(4)
  run.start([1, 2, 3])
  await run.pass(1_000)
  run.start([0])
  run.rank(0).signals.emit('SIGTERM')
  expect((await run.end()).slice(0, 2)).toEqual([0, 143])
  expect(run.did).toContain('0: published the outcome 143')
  expect(run.whoSaid('SIGTERM: the run ends before it has begun')).toHaveLength(1)
  expect(run.errors()).toEqual([])
})

describe('a scheduler whose port is bound', () => {
  /** A run whose scheduler has its port, and does not come to run by itself. */
  function early(options: ConstructorParameters<typeof WholeRun>[1] = {}): WholeRun {
    const run = new WholeRun(4, options)
    run.start()
    Object.assign(run.rank(0).components, { doBind: true, doStart: false })
    return run
  }

  it('has the program begin; when it runs, it is published and the workers start', async () => {
    const run = early()
    const program = await run.program()
    await run.pass(60_000)
    expect([2, 3].map((rank) => run.rank(rank).components.workers)).toEqual([[], []])
    expect(run.did).not.toContain('0: published')
    run.rank(0).components.scheduler?.begin()
    await run.until(() => run.rank(2).components.workers[0] && run.rank(3).components.workers[0])
    expect(run.did).toContain('0: published')
    program.end(0)
    expect(await run.end()).toEqual([0, 0, 0, 0])
    expect(run.whoSaid('error')).toEqual([])
  })

  it('and that cannot start ends the program by TERM, its grace and KILL, and the run with the cause, once', async () => {
    const run = early()
    const program = await run.program()
    program.isStubborn = true
    run.rank(0).components.scheduler?.end(1)
    expect(await run.end()).toEqual([69, 69, 69, 69])
    expect(program.signals).toEqual(['SIGTERM'])
    expect(run.did).toContain('1: program was killed by SIGKILL')
    expect(run.whoSaid('error: Cannot start scheduler')).toEqual(['[0 scheduler]'])
    expect(run.whoSaid('error: | its last words')).toEqual(['[0 scheduler]'])
    expect(run.did).not.toContain('0: published')
  })

  it('and that dies under a client that waits for it is the cause, though the program ends first', async () => {
    const run = early()
    const program = await run.program()
    program.end(1)
    await run.pass(500)
    run.rank(0).components.scheduler?.end(0, 'SIGKILL')
    expect(await run.end()).toEqual([69, 69, 69, 69])
    expect(run.whoSaid('error: Cannot start scheduler')).toEqual(['[0 scheduler]'])
  })

  it('and that does not come to run within the rendezvous timeout ends the program and the run', async () => {
    const run = early({ rendezvousTimeout: '60s' })
    const program = await run.program()
    expect(await run.end()).toEqual([75, 75, 75, 75])
    expect(program.signals).toEqual(['SIGTERM'])
    expect(run.whoSaid('error: Cannot start the scheduler: it was not running after 60 s')).toEqual(['[0 scheduler]'])
  })

  it.each([0, 3])('leaves the run the status %i of a program that ends before it runs', async (status) => {
    const run = early()
    const program = await run.program()
    program.end(status)
    expect(await run.end()).toEqual([0, status, 0, 0])
    expect(run.did).not.toContain('0: published')
    expect([run.rank(2).components.workers, run.whoSaid('error')]).toEqual([[], []])
  })

  it.each([0, 1, 3])('has a signal to rank %i end the program, and does not cut its grace short', async (rank) => {
    const run = early()
    const program = await run.program()
    program.isStubborn = true
    run.rank(rank).signals.emit('SIGTERM')
    await run.pass(4_000)
    program.end(0)
    expect(await run.end()).toEqual([0, 0, 0, 0])
    expect(program.signals).toEqual(['SIGTERM'])
    expect(run.whoSaid('error')).toEqual([])
  })

  it.each([
    ['a program that waits for its workers', { waitWorkers: 'all' }],
    ['an inline client', { command: undefined, preloadClient: false }],
  ] as const)('does not let %s begin', async (_, options) => {
    const run = early(options)
    await run.until(() => [1, 2, 3].every((rank) => run.network.hasJoined(rank)))
    await run.pass(60_000)
    expect([run.rank(1).components.client, run.rank(1).runner]).toEqual([undefined, undefined])
    run.rank(0).components.scheduler?.end(1)
    expect((await run.end())[0]).toBe(69)
  })
})

describe('ranks that have to meet before anything begins', () => {
  function apart(): { readonly run: WholeRun; readonly met: ReturnType<typeof deferred<undefined>> } {
    const run = new WholeRun(4)
    const met = deferred<undefined>()
    run.met = met.promise.then(() => undefined)
    run.start()
    Object.assign(run.rank(0).components, { doBind: true, doStart: false })
    return { run, met }
  }

  it('have no program begin before, and have it begin then, though no scheduler runs yet', async () => {
    const { run, met } = apart()
    await run.until(() => run.rank(0).components.scheduler)
    await run.pass(60_000)
    expect(run.rank(1).components.client).toBeUndefined()
    met.resolve(undefined)
    const program = await run.program()
    run.rank(0).components.scheduler?.begin()
    await run.until(() => run.did.includes('0: published'))
    program.end(0)
    expect(await run.end()).toEqual([0, 0, 0, 0])
  })

  it('are not waited for where the scheduler fails meanwhile', async () => {
    const { run } = apart()
    await run.until(() => run.rank(0).components.scheduler)
    run.rank(0).components.scheduler?.end(1)
    expect(await run.end()).toEqual([69, 69, 69, 69])
    expect(run.whoSaid('error: Cannot start scheduler')).toEqual(['[0 scheduler]'])
    expect(run.rank(1).components.client).toBeUndefined()
  })
})

describe('a rank that hosts workers', () => {
  it('and cannot start them does not end the run while there are others', async () => {
    const run = new WholeRun(4)
    run.start()
    run.rank(3).components.planWorkers = async () => await Promise.reject(new Error('no room'))
    const program = await run.program()
    await run.until(() => run.whoSaid('the run goes on with the other workers').length > 0)
    expect(run.whoSaid('no room (rank 3 on node3); the run goes on')).toEqual(['[0 scheduler]'])
    program.end(0)
    expect((await run.end()).slice(0, 3)).toEqual([0, 0, 0])
  })

  it('and loses the last of them ends the run', async () => {
    const run = new WholeRun(4, { workerRestarts: 0 })
    run.start()
    await run.program()
    await run.until(() => run.rank(2).components.workers[0] && run.rank(3).components.workers[0])
    run.rank(2).components.workers[0]?.end(0, 'SIGKILL')
    await run.until(() => run.whoSaid('the run goes on with the other workers').length > 0)
    run.rank(3).components.workers[0]?.end(0, 'SIGKILL')
    expect(await run.end()).toEqual([69, 69, 69, 69])
    expect(run.whoSaid('error: Worker 3 on node3 was killed by SIGKILL; no worker is left')).toEqual(['[0 scheduler]'])
  })

  it('and is killed ends the run where its workers were needed', async () => {
    const run = new WholeRun(4, { minWorkers: 2 })
    run.start()
    await run.program()
    run.rank(3).kill()
    expect(await run.end()).toEqual([69, 69, 69, undefined])
    expect(run.whoSaid('error: Lost rank 3 (worker) on node3: it ended without a word')).toEqual(['[0 scheduler]'])
    expect(run.did.filter((what) => what.includes('cancelled'))).toEqual([])
  })

  it('and is silent has its step cancelled by rank 0, once, when the others have ended', async () => {
    const run = new WholeRun(4, { minWorkers: 2 })
    run.start()
    await run.program()
    run.rank(3).cut()
    expect(await run.end()).toEqual([69, 69, 69, undefined])
    expect(run.whoSaid('error: Lost rank 3 (worker) on node3: nothing was heard of it for 8 s')).toEqual([
      '[0 scheduler]',
    ])
    expect(run.did.filter((what) => what.includes('cancelled'))).toEqual(['0: cancelled the step of 3'])
  })
})

describe('rank 0', () => {
  it.each([
    ['is killed', 'kill', 'its connection closed before the end of the run'],
    ['is silent', 'cut', 'nothing was heard of it for 8 s'],
  ] as const)('that %s ends the others with 69', async (_, how, why) => {
    const run = new WholeRun(4)
    run.start()
    const program = await run.program()
    if (how === 'kill') for (const rank of [1, 2, 3]) run.network.close(rank)
    else for (const rank of [1, 2, 3]) run.network.cut(rank)
    run.rank(0).isLost = true
    expect(await run.end()).toEqual([undefined, 69, 69, 69])
    expect(program.signals).toEqual(['SIGTERM'])
    expect(run.errors()).toEqual([
      expect.stringContaining(`[1 client] error: Lost rank 0 (scheduler) on node0: ${why}`),
    ])
    expect(run.did).toContain('1: withdrew')
    // The first that does so ends the others.
    const cancelled = how === 'kill' ? [] : ['1: cancelled the step of 0']
    expect(run.did.filter((what) => what.includes('cancelled'))).toEqual(cancelled)
  })

  it.each([
    ['are killed', 'close', /^\[[2-5] worker\] error: Lost rank 0 .*: its connection closed before the end of the run/],
    ['are silent', 'cut', /^\[2 worker\] error: Lost rank 0 .*: nothing was heard of it for 8 s/],
  ] as const)('and its deputy that %s at the same moment leave it to another to tell that', async (_, how, cause) => {
    const run = new WholeRun(6)
    run.start()
    await run.program()
    await run.until(() => run.rank(5).components.workers[0])
    for (const rank of [0, 1]) run.rank(rank).isLost = true
    for (const rank of [1, 2, 3, 4, 5]) run.network[how](rank)
    expect((await run.end()).slice(2)).toEqual([69, 69, 69, 69])
    expect(run.errors()).toEqual([expect.stringMatching(cause)])
  })

  it('that is silent is told of by its deputy alone, however late its program ends', async () => {
    const run = new WholeRun(4)
    run.start()
    const program = await run.program()
    program.isStubborn = true
    for (const rank of [1, 2, 3]) run.network.cut(rank)
    run.rank(0).isLost = true
    await run.end()
    expect(run.did).toContain('2: cancelled the step of 0')
    expect(run.errors()).toEqual([expect.stringMatching(/^\[1 client\] error: Lost rank 0 /)])
  })

  it('that never answers is told of by one of 64 that wait for it', async () => {
    const run = new WholeRun(64, { lostAfter: '2s', rendezvousTimeout: '20s' })
    run.start(Array.from({ length: 63 }, (_, i) => i + 1))
    run.findDead()
    await run.end()
    expect(run.log.filter((line) => line.includes('Cannot join'))).toEqual([
      '[1 client] warn: Cannot join rank 0: the connection is refused; asking again',
      expect.stringMatching(/^\[\d+ \w+\] error: Cannot join rank 0: the connection is refused$/),
    ])
  })

  it('that is killed after rank 1 in a run without a client has a rank tell it that is there', async () => {
    const run = new WholeRun(4, { command: undefined, client: false })
    run.start()
    await run.until(() => [1, 2, 3].every((rank) => run.rank(rank).components.workers[0]))
    run.rank(1).kill()
    await run.until(() => run.whoSaid('the run goes on with the other workers').length > 0)
    for (const rank of [2, 3]) run.network.close(rank)
    run.rank(0).isLost = true
    expect((await run.end()).slice(2)).toEqual([69, 69])
    expect(run.errors()).toEqual([expect.stringContaining('[2 worker] error: Lost rank 0 (scheduler) on node0')])
  })
})

describe('a signal', () => {
  it.each([
    ['SIGTERM', 0, 143],
    ['SIGTERM', 1, 143],
    ['SIGTERM', 3, 143],
    ['SIGINT', 2, 130],
    ['SIGHUP', 1, 129],
  ] as const)(
    '%s to rank %i ends the program by the same signal, and the run with %i',
    async (signal, rank, status) => {
      const run = new WholeRun(4)
      run.start()
      const program = await run.program()
      run.rank(rank).signals.emit(signal)
      expect(await run.end()).toEqual([0, status, 0, 0])
      expect(program.signals).toEqual([signal])
      expect(run.whoSaid('error')).toEqual([])
    },
  )

  it.each([0, 2])('to rank %i ends a cluster without a client, with the status of rank 0', async (rank) => {
    const run = new WholeRun(3, { command: undefined, client: false })
    run.start()
    await run.until(() => run.rank(1).components.workers[0] && run.rank(2).components.workers[0])
    await run.pass(60_000)
    expect(run.statuses).toEqual(new Map())
    run.rank(rank).signals.emit('SIGTERM')
    expect(await run.end()).toEqual([143, 0, 0])
    expect(run.whoSaid('error')).toEqual([])
  })

  it('ends a program that ignores it within the grace', async () => {
    const run = new WholeRun(4)
    run.start()
    const program = await run.program()
    program.isStubborn = true
    const began = Date.now()
    run.rank(1).signals.emit('SIGTERM')
    expect(await run.end()).toEqual([0, 137, 0, 0])
    expect(Date.now() - began).toBeLessThanOrEqual(8_000)
  })

  it('twice ends everything at once', async () => {
    const run = new WholeRun(4)
    run.start()
    const program = await run.program()
    program.isStubborn = true
    const { signals } = run.rank(2)
    signals.emit('SIGTERM')
    await run.pass(2_000)
    signals.emit('SIGTERM')
    const began = Date.now()
    expect(await run.end()).toEqual([0, 143, 0, 0])
    expect(Date.now() - began).toBeLessThan(1_000)
    expect(run.did).toContain('1: program was killed by SIGKILL')
  })

  it('before there is a cluster ends all ranks, and no program begins', async () => {
    const run = new WholeRun(4)
    run.start()
    run.rank(0).components.doStart = false
    await run.until(() => run.rank(0).components.scheduler)
    await run.pass(1_000)
    for (const rank of [0, 1, 2, 3]) run.rank(rank).signals.emit('SIGTERM')
    expect(await run.end()).toEqual([0, 143, 0, 0])
    expect(run.rank(1).components.client).toBeUndefined()
  })
})

describe('ranks that do not come', () => {
  it('wait for rank 0 no longer than the rendezvous timeout, and rank 1 wakes the step', async () => {
    const run = new WholeRun(4, { rendezvousTimeout: '60s' })
    run.start([1, 2, 3])
    run.failLookUps()
    expect(await run.end()).toEqual([undefined, 75, 75, 75])
    expect(run.errors()).toEqual([expect.stringContaining('error: Cannot find the cluster: it is late')])
    expect(run.did.filter((what) => what.includes('left word')).length).toBe(3)
    expect(run.did.filter((what) => what.includes('woke'))).toEqual(['1: woke the step'])
    expect(run.did.filter((what) => what.includes('cancelled'))).toEqual([])
  })

  it('are not waited for by rank 0 where one of them is the client', async () => {
    const run = new WholeRun(4, { rendezvousTimeout: '60s' })
    run.start([0, 2, 3])
    expect(await run.end()).toEqual([75, undefined, 75, 75])
    const cause = 'error: Cannot run the client program: rank 1, which is to host it, has not come within 60 s'
    expect(run.whoSaid(cause)).toEqual(['[0 scheduler]'])
    expect(run.did.filter((what) => what.includes('withdrew'))).toEqual(['0: withdrew, and left word', '0: withdrew'])
    expect(run.did.filter((what) => /cancelled|terminated/.test(what))).toEqual(['0: terminated the step for 1'])
  })

  it('and others that are silent have their step cancelled, which leaves no word', async () => {
    const run = new WholeRun(4, { rendezvousTimeout: '60s', minWorkers: 2 })
    run.start([0, 2, 3])
    await run.pass(5_000)
    run.rank(3).cut()
    expect(await run.end()).toEqual([69, undefined, 69, undefined])
    expect(run.did.filter((what) => what.includes('withdrew'))).toEqual(['0: withdrew, and left word', '0: withdrew'])
    expect(run.did.filter((what) => /cancelled|terminated/.test(what))).toEqual(['0: cancelled the step of 3'])
  })

  it('and have left word are known at once', async () => {
    const run = new WholeRun(4)
    run.earlyExits.push({
      rank: 3,
      failure: { status: 78, message: 'no Python', rank: 3, host: 'node3', last_lines: [] },
    })
    run.start([0, 1, 2])
    const program = await run.program()
    await run.until(() => run.whoSaid('no Python (rank 3 on node3); the run goes on').length > 0)
    program.end(0)
    expect((await run.end()).slice(0, 3)).toEqual([0, 0, 0])
    expect(run.did.filter((what) => what.includes('woke'))).toEqual([])
  })
})

it('does not repeat why a rank has not come that has told it itself', async () => {
  const run = new WholeRun(4, { minWorkers: 2 })
  const failure = { status: 75, message: 'it is late', rank: 3, host: 'node3', last_lines: [], told: true }
  run.earlyExits.push({ rank: 3, failure })
  run.start([0, 1, 2])
  expect((await run.end()).slice(0, 3)).toEqual([75, 75, 75])
  expect(run.errors()).toEqual([])
})

describe('an inline client', () => {
  const inline = { command: undefined, preloadClient: false }
  afterEach(() => {
    process.exitCode = undefined
  })

  it('that closes ends the run, and the others exit with 0', async () => {
    const run = new WholeRun(4, inline)
    run.start()
    const runner = await run.inlineClient()
    const closed = Promise.all([runner.close(), runner.close()])
    await run.until(() => run.statuses.size === 3)
    await closed
    expect(run.statuses).toEqual(new Map([0, 2, 3].map((rank) => [rank, 0])))
    expect([runner.signal.aborted, process.exitCode, run.whoSaid('error')]).toEqual([false, undefined, []])
  })

  it.each([1, 2])('is told of a TERM to rank %i, and its status is 143', async (rank) => {
    const run = new WholeRun(4, inline)
    run.start()
    const runner = await run.inlineClient()
    run.rank(rank).signals.emit('SIGTERM')
    await run.until(() => runner.signal.aborted)
    expect(runner.signal.reason).toMatchObject({ message: 'Ended by SIGTERM' })
    const closed = runner.close()
    await run.until(() => run.statuses.size === 3)
    await closed
    expect([process.exitCode, ...run.statuses.values()]).toEqual([143, 0, 0, 0])
  })

  it('is told of the end of the scheduler, and ended after its grace', async () => {
    const run = new WholeRun(4, inline)
    run.start()
    const runner = await run.inlineClient()
    run.rank(0).components.scheduler?.end(1)
    await run.until(() => runner.signal.aborted)
    expect(runner.signal.reason).toMatchObject({ code: 'ERR_COMPONENT_LOST' })
    expect(await run.end()).toEqual([69, 69, 69, 69])
    expect(run.whoSaid('warn: the program has not ended in its time: it is ended now')).toEqual(['[1 client]'])
  })

  it('does not begin where there is no cluster to be had: its start throws the cause', async () => {
    const run = new WholeRun(4, inline)
    run.start()
    run.rank(0).components.doStart = false
    await run.until(() => run.rank(0).components.scheduler)
    run.rank(0).components.scheduler?.end(1)
    expect(await run.end()).toEqual([69, undefined, 69, 69])
    expect(run.rank(1).error).toMatchObject({ message: 'Cannot start scheduler', lastLines: ['its last words'] })
  })

  it('does not begin where a signal came before it: its process exits by that', async () => {
    const run = new WholeRun(4, inline)
    run.start()
    run.rank(0).components.doStart = false
    await run.until(() => run.rank(0).components.scheduler)
    await run.pass(1_000)
    const began = Date.now()
    run.rank(1).signals.emit('SIGTERM')
    expect(await run.end()).toEqual([0, 143, 0, 0])
    expect(Date.now() - began).toBeLessThan(8_000)
    expect(run.rank(1).runner).toBeUndefined()
  })
})
