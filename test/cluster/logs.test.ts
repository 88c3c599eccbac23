import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Cluster, program, programs } from '../support/cluster.ts'
import { canHang, HangingMount } from '../support/hanging-mount.ts'
import { canMount, MountedMemory } from '../support/mount.ts'
import { pythons } from '../support/pythons.ts'

describe.for(pythons())('with %s', ([, python]) => {
  const local = ['local', '-n', '4', '--python', python ?? '']

  test.skipIf(python === undefined)(
    'a healthy run prints six lines at most, none of them of Dask, and keeps all that it says in files',
    async () => {
      await using cluster = await Cluster.make()
      const log = ['--log-directory', 'logs/{job_id}', '--nanny']
      const untilEnd = 'while [ ! -e end ]; do sleep 0.1; done; echo trivial'
      const run = cluster.run([...local, ...log, '--', 'sh', '-c', untilEnd])
      await run.expectOutput(/\] all 2 workers are there, after /)
      await writeFile(cluster.path('end'), '')
      await run.expectStatus(0)
      expect(run.stdout).toBe('trivial\n')
      const lines = run.words()
      expect(lines.length, run.stderr).toBeLessThanOrEqual(6)
      expect(lines.filter((line) => !line.startsWith('[0 scheduler] '))).toEqual([])
      expect(lines.slice(0, 2)).toEqual([
        expect.stringMatching(/ run local-\S+: 4 processes on \S+$/),
        expect.stringMatching(/ cluster at tcp:\S+, 2 workers to come, /),
      ])
      const [job = ''] = await readdir(cluster.path('logs'))
      const names = await readdir(cluster.path(`logs/${job}`))
      expect(names.sort()).toEqual([
        ...['rank-0-scheduler.log', 'rank-1-client.log'],
        ...[2, 3].map((rank) => `rank-${rank}-worker.log`),
      ])
      const texts = await Promise.all(names.map(async (name) => readFile(cluster.path(`logs/${job}/${name}`), 'utf8')))
      expect(texts[0]).toMatch(/^\S+Z \[0 scheduler\] .* - distributed.scheduler - INFO - /m)
      // What the nanny's child says, too.
      expect(texts[2]).toMatch(/^\S+Z \[2 worker\] .* - distributed.worker - INFO - +Registered to:/m)
      expect(texts[2]).toMatch(/^\S+Z \[2 worker\] joined the run of rank 0 on /m)
      expect(texts.join('')).not.toContain('\u001e')
      for (const name of ['logs', 'end']) cluster.expectFile(name)
      await cluster.expectNothingLeft()
    },
  )
})

test('a worker that prints much keeps its file under the limit, and a failure names it', async () => {
  await using cluster = await Cluster.make()
  const args = ['-n', '3', '--log-directory', 'logs', '--log-limit', '1MB', '--worker-restarts', '0']
  const much = join(programs, 'print_much.py')
  const client = `python3 ${much} 50 && echo so far >&2 && sleep 60`
  const local = [process.execPath, program, 'local', ...args, '--', 'sh', '-c', client]
  const run = cluster.start(['/bin/sh', '-c', 'exec "$@" >/dev/null', 'sh', ...local])
  await run.expectOutput('so far')
  const worker = await cluster.expectProcess('dask-hpc-runner worker 2')
  const supervisor = await readFile(`/proc/${cluster.parentOf(worker)}/status`, 'utf8')
  expect(Number(/^VmHWM:\s*(\d+) kB$/m.exec(supervisor)?.[1])).toBeLessThan(250_000)
  process.kill(worker, 'SIGKILL')
  await run.expectStatus(69)
  expect(run.errors()).toEqual([expect.stringMatching(/Worker 2 on \S+ was killed by SIGKILL; no worker is left/)])
  const path = cluster.path('logs/rank-2-worker.log')
  expect(run.stderr).toContain(`error: | its log is ${path}\n`)
  const sizes = await Promise.all([path, `${path}.1`].map(async (each) => (await stat(each)).size))
  expect(Math.min(...sizes)).toBeGreaterThan(0)
  expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(1_000_000)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  cluster.expectFile('logs')
  await cluster.expectNothingLeft()
})

test.skipIf(!canMount)('a full disk under the logs ends no run, and is told once', async () => {
  await using cluster = await Cluster.make()
  await using memory = await MountedMemory.on(cluster.path('logs'))
  await memory.fill()
  const args = ['-n', '3', '--log-directory', 'logs']
  const run = cluster.run(['local', ...args, '--', 'python3', join(programs, 'print_much.py'), '1'])
  await run.expectStatus(0)
  // It is in the middle of a worker's line, perhaps.
  expect(run.stdout).toContain('printed 1\n')
  const warned = run.stderr.split('\n').filter((line) => line.includes('warn: '))
  expect(warned).toEqual([
    expect.stringMatching(
      /warn: Cannot keep the log in ".*logs": no space is left on the filesystem \(ENOSPC\); the run goes on/,
    ),
  ])
  cluster.expectFile('logs')
  await cluster.expectNothingLeft()
})

test.skipIf(!canHang)(
  'a filesystem that hangs under the logs neither ends nor holds up a run, and is told once',
  async () => {
    await using cluster = await Cluster.make()
    const directory = join(cluster.directory, 'mounted')
    await using mount = await HangingMount.of(join(cluster.directory, 'source'), directory)
    mount.hang()
    const args = ['-n', '3', '--log-directory', join(directory, 'logs'), '--wait-workers', 'all']
    const run = cluster.run(['local', ...args, '--', 'echo', 'done'])
    await run.expectStatus(0)
    expect(run.stdout).toContain('done\n')
    const warned = run.stderr.split('\n').filter((line) => line.includes('warn: '))
    expect(warned).toEqual([
      expect.stringMatching(/warn: Cannot keep the log in ".*logs": its filesystem does not answer; the run goes on/),
    ])
    await cluster.expectNothingLeft()
  },
)
