import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import load from '../../src/python/load.py'
import { DaskProcess, type DaskProcessOptions } from '../../src/python/dask-process.ts'
import type { OnLines } from '../../src/process/output.ts'
import { startBootstrap } from '../../src/python/start-bootstrap.ts'
import { eventually, isAlive, kill, newReaper } from '../process/support/processes.ts'

const fake = join(import.meta.dirname, '../../fixtures/programs/fake-distributed')
const env = { PATH: process.env.PATH, PYTHONPATH: fake, PYTHONDONTWRITEBYTECODE: '1' }

function start(component: DaskProcessOptions['component'], ...args: string[]) {
  return startWith({}, component, ...args)
}

function startWith(more: NodeJS.ProcessEnv, component: DaskProcessOptions['component'], ...args: string[]) {
  const lines: string[] = []
  const dask = DaskProcess.start({
    python: 'python3',
    component,
    name: `${component} 2`,
    env: { ...env, ...more },
    reaper: newReaper(),
    onLines: (printed) => void lines.push(...printed),
    log: ['warning', false],
  })
  dask.begin(args)
  onTestFinished(async () => {
    dask.kill()
    await dask.exited
  })
  return { dask, lines }
}

/** The process that the fake Dask has started as a task would. */
async function taskIn(lines: readonly string[]): Promise<number> {
  const find = (): number => Number(/^task (\d+)$/m.exec(lines.join('\n'))?.[1] ?? 0)
  await eventually(() => find() > 0, true, 'the task is started')
  onTestFinished(() => {
    kill(find())
  })
  return find()
}

/** The Python of a worker, and the conversation with it. */
function bare(onLines: OnLines = () => undefined) {
  const bootstrap = startBootstrap(
    { python: 'python3', env, reaper: newReaper(), onLines, log: ['warning', false] },
    { title: ['worker'] },
  )
  onTestFinished(() => {
    bootstrap.child.kill()
  })
  return bootstrap
}

describe('DaskProcess, with a stand-in for Dask', { timeout: 60_000 }, () => {
  it('tells the identity of a scheduler that runs, and closes it on order', async () => {
    const { dask, lines } = start('scheduler', '--port', '0')
    const { identity, versions } = await dask.started
    expect(identity).toEqual({ type: 'Scheduler', id: 'fake-1', arguments: ['--port', '0'] })
    expect(versions).toMatchObject({ dask: '0.0.1', distributed: '0.0.1' })
    expect(await dask.stop(30_000)).toEqual({ status: 0, signal: null, forced: false })
    expect(lines).toEqual(['closes Scheduler []'])
  })

  it('tells where a worker listens, closes it without waiting for its tasks, and a nanny where there is one', async () => {
    const [worker, nanny] = [start('worker'), start('worker', '--nanny')]
    const reports = await Promise.all([worker.dask.started, nanny.dask.started])
    const addresses = ['tcp://10.0.0.1:1', 'tcp://10.0.0.1:3']
    expect(reports.map(({ identity }) => identity)).toEqual(addresses.map((address) => ({ address })))
    await Promise.all([worker.dask.stop(30_000), nanny.dask.stop(30_000)])
    expect(worker.lines).toEqual(["closes Worker ['executor_wait', 'timeout']"])
    expect(nanny.lines[0]).toContain('closes Nanny')
  })

  it('has no words on its command line that a Jupyter server in the scheduler would take for its own', async () => {
    const { dask, lines } = start('scheduler', '--port', '0', '--jupyter')
    await dask.started
    await eventually(() => lines.includes('words for Jupyter: []'), true, lines.join('\n'))
  })

  it('says where its directory is not to be seen, as in a container', async () => {
    const [hidden, seen] = [
      start('worker', '--local-directory', '/nowhere/a'),
      start('worker', '--local-directory', import.meta.dirname),
    ]
    await Promise.all([hidden.dask.started, seen.dask.started])
    await Promise.all([hidden.dask.stop(30_000), seen.dask.stop(30_000)])
    expect(hidden.lines.join()).toMatch(/^This Python does not see "\/nowhere\/a", .*: bind the directory above it/)
    expect(seen.lines.join()).not.toContain('does not see')
  })

  it('acts on no signal, though Dask would, and its tasks do', async () => {
    const { dask, lines } = start('worker', '--child')
    await dask.started
    const task = await taskIn(lines)
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const) kill(dask.pid, signal)
    kill(task, 'SIGTERM')
    await eventually(() => isAlive(task), false, 'the task ends by TERM')
    expect(await dask.stop(30_000)).toEqual({ status: 0, signal: null, forced: false })
    expect(lines.join()).not.toContain('acts on a signal')
  })

  it('is killed with its tasks when it has not closed in time', async () => {
    const { dask, lines } = start('scheduler', '--stubborn', '--child')
    await dask.started
    const task = await taskIn(lines)
    expect(await dask.stop(200)).toEqual({ status: null, signal: 'SIGKILL', forced: true })
    await eventually(() => isAlive(task), false, 'the task is killed')
  })

  it('says how and with which last words a start failed', async () => {
    const { dask } = start('scheduler', '--fail')
    await expect(dask.started).rejects.toMatchObject({
      code: 'ERR_COMPONENT_LOST',
      message: 'Cannot start scheduler 2: Python exited with status 3',
      lastLines: ['the last words of dask scheduler'],
    })
  })

  it('names its own files in tracebacks, and their lines', async () => {
    const { dask, lines } = startWith({ FAKE_DASK_BROKEN: 'yes' }, 'worker')
    await expect(dask.started).rejects.toThrow('exited with status 1')
    const line = load.split('\n').findIndex((text) => text.includes('import distributed.cli.dask_worker')) + 1
    expect(lines).toContain(`  File "<dask-hpc-runner load.py>", line ${line}, in load`)
  })

  it('ends at once when it is stopped before it has started', async () => {
    const { dask } = start('worker')
    expect(await dask.stop(30_000)).toMatchObject({ forced: false })
  })

  it('ends with its tasks when the pipe closes', async () => {
    const lines: string[] = []
    const { child, link } = bare((more) => void lines.push(...more))
    link.order({ order: 'load', component: 'worker', log: ['warning', false] })
    link.order({ order: 'start', arguments: ['--child'], environment: {}, resources: {} })
    const task = await taskIn(lines)
    child.pipe?.destroy()
    expect(await child.exited).toEqual({ status: null, signal: 'SIGKILL', forced: false })
    await eventually(() => isAlive(task), false, 'the task is killed')
  })

  it('ends when the pipe closes before there is anything to run', async () => {
    const { child, link } = bare()
    link.order({ order: 'load', component: 'worker', log: ['warning', false] })
    await link.first('loaded')
    child.pipe?.destroy()
    expect(await child.exited).toEqual({ status: null, signal: 'SIGKILL', forced: false })
  })
})
