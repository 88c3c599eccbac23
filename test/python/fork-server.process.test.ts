import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { DaskProcess } from '../../src/python/dask-process.ts'
import { ForkServer } from '../../src/python/fork-server.ts'
import { eventually, isAlive, kill, newReaper, temporaryDirectory } from '../process/support/processes.ts'

const fake = join(import.meta.dirname, '../../fixtures/programs/fake-distributed')
const names = ['2-0', '2-1', '2-2']

function serve(env: NodeJS.ProcessEnv = {}, python = 'python3') {
  const lines: string[] = []
  const server = new ForkServer(
    {
      python,
      env: { PATH: process.env.PATH, PYTHONPATH: fake, PYTHONDONTWRITEBYTECODE: '1', ...env },
      reaper: newReaper(),
      onLines: (more) => void lines.push(...more),
      log: ['warning', false],
    },
    names,
  )
  onTestFinished(async () => {
    server.kill()
    await server.exited
  })
  const fork = (name: string, ...args: string[]): { worker: DaskProcess; own: string[] } => {
    const own: string[] = []
    const worker = server.fork(name, (more) => void own.push(...more)) ?? expect.fail(`${name} was not forked`)
    worker.begin(args)
    return { worker, own }
  }
  return { server, fork, lines }
}

describe('ForkServer, with a stand-in for Dask', { timeout: 60_000 }, () => {
  it('forks workers that lead groups of their own and close on order, each with its own output', async () => {
    const { server, fork, lines } = serve()
    expect(await server.obstacle()).toBeUndefined()
    const workers = names.map((name) => fork(name))
    await Promise.all(workers.map(async ({ worker }) => await worker.started))
    const pids = workers.map(({ worker }) => worker.pid)
    expect(new Set(pids).size).toBe(names.length)
    for (const { worker, own } of workers) {
      expect(await worker.stop(30_000)).toEqual({ status: 0, signal: null, forced: false })
      expect(own).toEqual(["closes Worker ['executor_wait', 'timeout']"])
    }
    expect(lines).toEqual([])
    expect(isAlive(server.pid ?? 0)).toBe(true)
  })

  it('tells how a worker ended, and its last words; the others go on', async () => {
    const { server, fork } = serve()
    await server.obstacle()
    const [stays, dies, fails] = [fork('2-0'), fork('2-1'), fork('2-2', '--fail')]
    await expect(fails.worker.started).rejects.toMatchObject({
      message: 'Cannot start worker 2-2: Python exited with status 3',
      lastLines: ['the last words of dask worker'],
    })
    await Promise.all([stays.worker.started, dies.worker.started])
    kill(dies.worker.pid, 'SIGKILL')
    expect(await dies.worker.exited).toEqual({ status: null, signal: 'SIGKILL', forced: false })
    expect(isAlive(stays.worker.pid ?? 0)).toBe(true)
    expect(
      server.fork('2-1', () => undefined),
      'it is forked once',
    ).toBeUndefined()
  })

  it('kills a worker with its tasks when that has not closed in time', async () => {
    const { server, fork } = serve()
    await server.obstacle()
    const { worker, own } = fork('2-0', '--stubborn', '--child')
    await worker.started
    const task = (): number => Number(/^task (\d+)$/m.exec(own.join('\n'))?.[1] ?? 0)
    await eventually(() => task() > 0, true, 'the task is started')
    expect(await worker.stop(200)).toEqual({ status: null, signal: 'SIGKILL', forced: true })
    await eventually(() => isAlive(task()), false, 'the task is killed')
  })

  it('acts on no signal, and neither do its workers', async () => {
    const { server, fork, lines } = serve()
    await server.obstacle()
    const { worker, own } = fork('2-0')
    await worker.started
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const) {
      kill(server.pid, signal)
      kill(worker.pid, signal)
    }
    expect(await worker.stop(30_000)).toEqual({ status: 0, signal: null, forced: false })
    expect(isAlive(server.pid ?? 0)).toBe(true)
    expect([...lines, ...own].join()).not.toContain('acts on a signal')
  })

  it('takes its workers along, and then forks no more', async () => {
    const { server, fork } = serve()
    await server.obstacle()
    const workers = [fork('2-0'), fork('2-1')]
    await Promise.all(workers.map(async ({ worker }) => await worker.started))
    kill(server.pid, 'SIGKILL')
    for (const { worker } of workers) {
      expect(await worker.exited).toEqual({ status: null, signal: 'SIGKILL', forced: false })
      await eventually(() => isAlive(worker.pid ?? 0), false, 'the worker is killed')
    }
    expect(server.fork('2-2', () => undefined)).toBeUndefined()
  })

  it('says why it cannot fork: it has threads, runs within something else, or could not import Dask', async () => {
    const wrapper = join(temporaryDirectory(), 'wrapper')
    writeFileSync(wrapper, '#!/bin/sh\npython3 "$@"\n', { mode: 0o755 })
    const why = async (env: NodeJS.ProcessEnv, python?: string): Promise<string | undefined> =>
      await serve(env, python).server.obstacle()
    expect(await why({ FAKE_DASK_THREAD: 'yes' })).toBe('their Python has 2 threads')
    expect(await why({}, wrapper)).toBe('their Python runs inside of something else')
    expect(await why({ FAKE_DASK_BROKEN: 'yes' })).toBe('their Python exited with status 1')
  })

  it('tells of a worker for which there is no process, and forks the next', async () => {
    const { server, fork } = serve({ FAKE_DASK_FORKS: '1' })
    await server.obstacle()
    const [first, second] = [fork('2-0'), fork('2-1')]
    await first.worker.started
    await expect(second.worker.started).rejects.toMatchObject({
      message: 'Cannot start worker 2-1: Python exited with status 1',
      lastLines: ['Cannot fork: [Errno 11] there is no process to be had'],
    })
    expect(isAlive(first.worker.pid ?? 0)).toBe(true)
  })
})
