import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Cluster, python as ownPython } from '../support/cluster.ts'
import { pythons } from '../support/pythons.ts'

const values = readFileSync(join(import.meta.dirname, '../../src/python/values.py'), 'utf8')
const judge = `${values}
import json
json.dump([find_refusal([value]) for value in json.load(sys.stdin)], sys.stdout)`

describe.for(pythons())('with %s', ([, python]) => {
  test.skipIf(python === undefined)('values that Dask cannot use are told from those that it can', async () => {
    await using cluster = await Cluster.make()
    const preload = join(cluster.directory, 'mine.py')
    // Nothing executes them.
    await writeFile(preload, 'raise SystemExit(1)\nclass Worker: pass')
    for (const [name, text] of Object.entries({ plain: '', other: "import sys; sys.modules['other.made'] = sys" })) {
      await mkdir(join(cluster.directory, name))
      await writeFile(join(cluster.directory, name, '__init__.py'), `${text}\nraise SystemExit(1)`)
    }
    await mkdir(join(cluster.directory, 'bare'))
    await writeFile(join(cluster.directory, 'plain/part.py'), 'from elsewhere import *')
    await writeFile(join(cluster.directory, 'bare/part.py'), 'def __getattr__(name): return dict')
    const ask = (given: readonly (readonly [string, string])[]): unknown => {
      const input = JSON.stringify(given.map(([option, value]) => [option, option, value]))
      const options = { input, encoding: 'utf8', env: { ...process.env, PYTHONPATH: cluster.directory } } as const
      return JSON.parse(execFileSync(python === 'python3' ? ownPython : (python ?? ''), ['-c', judge], options))
    }
    const good: readonly (readonly [string, string])[] = [
      ...['tcp', 'tls', 'ws'].map((protocol) => ['protocol', protocol] as const),
      ...['tcp://0.0.0.0:0', 'ws://h:1'].map((address) => ['listenAddress', address] as const),
      ...['distributed.Worker', 'dask.distributed.Nanny', 'mine.Worker', 'plain.part.Any', 'bare.part.Any'].map(
        (name) => ['workerClass', name] as const,
      ),
      ...['other.made.Any', 'other.any.Any', 'os.path.Any'].map((name) => ['workerClass', name] as const),
      ...[
        preload,
        'mine',
        'plain',
        'plain.part',
        'bare',
        'bare.part',
        'other.made',
        'os.path',
        'json',
        'http://h/x.py',
        'import os; os.getpid()',
      ].map((each) => ['preload', each] as const),
    ]
    expect(ask(good)).toEqual(good.map(() => null))
    expect(
      ask([
        ['protocol', 'ftp'],
        ['protocol', 'ucx'],
        ['contactAddress', 'ftp://h:1'],
        ['workerClass', 'no_such.Worker'],
        ['workerClass', 'distributed.Missing'],
        ['preload', 'no_such'],
        ['preload', '/no/such.py'],
        ['preload', '/no/such.sh'],
        ['preload', 'plain.typo'],
        ['preload', 'plain.part.typo.more'],
        ['preload', 'bare.typo'],
        ['workerClass', 'mine.Missing'],
        ['workerClass', 'mine.typo.Worker'],
        ['workerClass', 'plain.Worker'],
      ]),
    ).toEqual([
      expect.stringMatching(/^Cannot use protocol "ftp": Dask knows no such protocol; write one of .*tcp, tls, /),
      expect.stringContaining(
        'Cannot use protocol "ucx": there is no module ucp, which Dask needs for it; install ucx-py for ',
      ),
      expect.stringContaining('Cannot use contactAddress "ftp://h:1": Dask knows no such protocol; '),
      expect.stringContaining('Cannot use workerClass "no_such.Worker": there is no module no_such; '),
      expect.stringContaining('Cannot use workerClass "distributed.Missing": the module distributed has no Missing; '),
      expect.stringContaining('Cannot use preload "no_such": there is no such module; '),
      expect.stringContaining('Cannot use preload "/no/such.py": there is no such file; '),
      expect.stringContaining('Cannot use preload "/no/such.sh": there is no such module; '),
      expect.stringContaining('Cannot use preload "plain.typo": there is no such module; '),
      null,
      expect.stringContaining('Cannot use preload "bare.typo": there is no such module; '),
      expect.stringContaining('Cannot use workerClass "mine.Missing": the module mine has no Missing; '),
      expect.stringContaining('Cannot use workerClass "mine.typo.Worker": there is no module mine.typo; '),
      expect.stringContaining('Cannot use workerClass "plain.Worker": the module plain has no Worker; '),
    ])
  })

  test.skipIf(python === undefined)(
    'a run with such a value ends with one sentence before it has a cluster',
    async () => {
      await using cluster = await Cluster.make()
      const local = ['local', '-n', '3', '--python', python ?? '']
      const run = cluster.run([...local, '--', 'touch', 'started'], { DASK_HPC_RUNNER_PROTOCOL: 'ftp' })
      await run.expectStatus(64)
      expect(run.stdout).toBe('')
      const says = 'error: Cannot use DASK_HPC_RUNNER_PROTOCOL "ftp": Dask knows no such protocol; '
      expect(run.words()).toEqual([
        expect.stringMatching(/^\[0 scheduler\] run local-\S+: 3 processes on /),
        expect.stringContaining(`[0 scheduler] ${says}`),
      ])
      await cluster.expectNothingLeft()
    },
  )
})

test('a class that its module lacks ends the run with what it lacks before there is a cluster', async () => {
  await using cluster = await Cluster.make()
  await writeFile(join(cluster.directory, 'mine.py'), '')
  const local = ['local', '-n', '3', '--nworkers', '2', '--worker-class', 'mine.Missing']
  const run = cluster.run([...local, '--wait-workers', 'all', '--', 'touch', 'started'], {
    PYTHONPATH: cluster.directory,
  })
  await run.expectStatus(64)
  expect(run.stderr).toContain('Cannot use --worker-class "mine.Missing": the module mine has no Missing; ')
  expect(run.stderr).not.toMatch(/Traceback|cluster at/)
  await cluster.expectNothingLeft()
})

test('doctor asks Dask as well', async () => {
  await using cluster = await Cluster.make()
  await writeFile(cluster.path('mine.py'), '')
  cluster.expectFile('mine.py')
  const values = ['--protocol', 'ftp', '--preload', 'mine', '--preload', 'mine.typo', '--worker-class', 'mine.Missing']
  const doctor = cluster.run(['doctor', '--json', ...values])
  await doctor.expectStatus(78)
  const findings = JSON.parse(doctor.stdout) as { level: string; subject: string; finding: string; advice?: string }[]
  expect(findings.filter(({ subject }) => subject === 'options')).toEqual([
    expect.objectContaining({ level: 'problem', finding: 'Cannot use --protocol "ftp": Dask knows no such protocol' }),
    expect.objectContaining({ finding: 'Cannot use --worker-class "mine.Missing": the module mine has no Missing' }),
    expect.objectContaining({ finding: 'Cannot use --preload "mine.typo": there is no such module' }),
  ])
  await cluster.expectNothingLeft()
})
