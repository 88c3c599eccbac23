import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs, python } from '../support/cluster.ts'
import { until } from '../support/until.ts'

const hold = ['--', 'python3', join(programs, 'hold.py'), 'go']
const fake = resolve(programs, 'fake-distributed')

/** Waits until none of these processes is there. */
async function expectEnd(cluster: Cluster, pids: readonly number[]): Promise<void> {
  await until(
    () => cluster.processes().filter((pid) => pids.includes(pid)),
    (left) => left.length === 0,
    { what: `${pids.join(', ')} have ended`, say: (left) => left.join() },
  )
}

test.for([
  ['one worker', '1', 'dask-hpc-runner worker 3'],
  ['workers to fork', '2', 'dask-hpc-runner workers 3-0,3-1'],
] as const)('a Python for %s that waits at its gate ends with its supervisor', async ([, count, title]) => {
  await using cluster = await Cluster.make()
  const slow = join(programs, 'slow_scheduler.py')
  const run = cluster.run(['local', '-n', '4', '--nworkers', count, '--preload', slow, '--', 'true'])
  const python = await cluster.expectProcess(title)
  process.kill(cluster.parentOf(python), 'SIGKILL')
  await expectEnd(cluster, [python])
  run.signal('SIGINT')
  await run.expectStatus(130)
  await cluster.expectNothingLeft()
})

test('forked workers end with their supervisor, and the run goes on', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '4', '--nworkers', '2', ...hold])
  await run.expectOutput('ready')
  const workers = [await cluster.expectProcess('worker 3-0'), await cluster.expectProcess('worker 3-1')]
  const [python, other] = workers.map((pid) => cluster.parentOf(pid))
  expect(python, 'they are forked').toBe(other)
  process.kill(cluster.parentOf(python ?? 0), 'SIGKILL')
  await expectEnd(cluster, [python ?? 0, ...workers])
  await writeFile(cluster.path('go'), '')
  cluster.expectFile('go')
  await run.expectStatus(0)
  expect(run.stdout).toContain('result 21')
  await cluster.expectNothingLeft()
})

test('a forked worker that is killed is started again, and its siblings go on', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '3', '--nworkers', '2', '--wait-workers', 'all', ...hold])
  await run.expectOutput('ready')
  const [killed, sibling] = [await cluster.expectProcess('worker 2-0'), await cluster.expectProcess('worker 2-1')]
  process.kill(killed, 'SIGKILL')
  await run.expectOutput(/Worker 2-0 on \S+ was killed by SIGKILL; it is started again/)
  const again = await cluster.expectProcess('dask-hpc-runner worker 2-0')
  expect(cluster.parentOf(again), 'in an interpreter of its own').not.toBe(cluster.parentOf(sibling))
  expect(await cluster.expectProcess('worker 2-1')).toBe(sibling)
  await writeFile(cluster.path('go'), '')
  cluster.expectFile('go')
  await run.expectStatus(0)
  await cluster.expectNothingLeft()
})

test('forked workers leave a signal to the whole job to their supervisor', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '3', '--nworkers', '2', '--wait-workers', 'all', ...hold])
  await run.expectOutput('ready')
  cluster.signalAll('SIGTERM')
  await run.expectStatus(143)
  expect(run.output).not.toMatch(/[Ww]orker 2-\d/)
  await cluster.expectNothingLeft()
})

test('workers are started one by one where their Python has threads already', async () => {
  await using cluster = await Cluster.make()
  await writeFile(
    cluster.path('sitecustomize.py'),
    'import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n',
  )
  cluster.expectFile('sitecustomize.py')
  const env = { PYTHONPATH: cluster.work, PYTHONDONTWRITEBYTECODE: '1' }
  const names = ['python3', join(programs, 'submit.py')]
  const run = cluster.run(
    ['local', '-n', '3', '--nworkers', '2', '--wait-workers', 'all', '--verbose', '--', ...names],
    env,
  )
  await run.expectStatus(0)
  expect(run.stdout).toContain('result 21')
  expect(run.stderr).toContain('[2 worker] starts its workers one by one: their Python has 2 threads')
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

test('a Dask that cannot be imported ends every process with its last words', async () => {
  await using cluster = await Cluster.make()
  const env = { PYTHONPATH: fake, PYTHONDONTWRITEBYTECODE: '1', FAKE_DASK_BROKEN: 'yes' }
  const run = cluster.run(['local', '-n', '4', '--nworkers', '2', '--', 'sleep', '60'], env)
  await run.expectStatus(69)
  const why = 'Cannot start scheduler: Python exited with status 1'
  expect(run.errors()).toEqual([expect.stringContaining(`[0 scheduler] error: ${why}`)])
  expect(run.stderr).toContain('[0 scheduler] error: | ImportError: broken')
  await cluster.expectNothingLeft()
})

test('a Python that needs its time on one process is waited for, and that process and its host are named', async () => {
  await using cluster = await Cluster.make()
  const slow = join(cluster.directory, 'bin/slow')
  const untilGo = `until [ -e '${cluster.path('go')}' ]; do sleep 0.1; done`
  await writeFile(slow, `#!/bin/sh\ncase "$*" in *worker*) ${untilGo} ;; esac\nexec '${python}' "$@"\n`, {
    mode: 0o755,
  })
  cluster.expectFile('go')
  const options = ['--python', slow, '--lost-after', '80s', '--verbose']
  const env = { NODE_OPTIONS: `--require=${resolve(programs, 'fast-clock.cjs')}` }
  const run = cluster.run(['local', '-n', '3', ...options, '--', 'python3', join(programs, 'submit.py')], env)
  await run.expectOutput(/^\[0 scheduler\] 0 of 1 workers are there; those of rank 2 on \S+ are to come \([4-9]\d s\)/m)
  await run.expectOutput(/^\[2 worker[^\]]*\] waiting on \S+ for \S+slow to start \([4-9]\d s\)/m)
  await writeFile(cluster.path('go'), '')
  await run.expectStatus(0)
  expect(run.stdout).toContain('result 21')
  expect(run.stderr).not.toMatch(/^\[0 [^\]]*\] waiting on .* for .*slow to start/m)
  await cluster.expectNothingLeft()
})
