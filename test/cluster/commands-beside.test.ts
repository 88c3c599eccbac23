import { chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { Cluster, program, type Started } from '../support/cluster.ts'
import { Authority, type Certificate } from '../support/certificates.ts'
import { CountingProxy } from '../support/counting-proxy.ts'
import { deadSchedulerFile, startDaskScheduler } from '../support/dask.ts'
import { until } from '../support/until.ts'

const commands = ['wait', 'status', 'stop'] as const
type Name = (typeof commands)[number]
/** Exit status and message of each command, for one state of things. */
type Expected = Readonly<Record<Name, readonly [status: number, message: RegExp]>>

const timeout = 5_000
/** How long after its deadline a command may take to start and end on a busy machine. In milliseconds. */
const slack = 40_000

/** Runs all three against `F.json`, or `args`, with a short deadline; checks how each ends and that it does so in time. */
async function expectAll(
  cluster: Cluster,
  expected: Expected,
  args: readonly string[] = ['--scheduler-file', 'F.json'],
) {
  const began = performance.now()
  const ends = commands.map(async (name) => {
    const started = cluster.run([name, ...args, '--timeout', `${timeout}ms`])
    await started.expectStatus(expected[name][0])
    expect(started.output).toMatch(expected[name][1])
    expect(started.output).not.toMatch(/^ +at /m)
    expect(performance.now() - began, `${name}: ${started.output}`).toBeLessThan(timeout + slack)
  })
  await Promise.all(ends)
}

/** A cluster of a plain Dask scheduler, whose file is F.json. */
async function daskCluster(cluster: Cluster): Promise<Started> {
  return await startDaskScheduler(cluster, cluster.path('F.json'))
}

async function addressOf(cluster: Cluster, name = 'F.json'): Promise<string> {
  return (JSON.parse(await readFile(cluster.path(name), 'utf8')) as { address: string }).address
}

async function portOf(cluster: Cluster): Promise<number> {
  return Number(/:(\d+)$/.exec(await addressOf(cluster))?.[1])
}

function startWorker(cluster: Cluster, name: string): Started {
  const options = ['--no-nanny', '--nthreads', '1', '--no-dashboard', '--name', name, '--scheduler-file', 'F.json']
  return cluster.start(['python3', '-m', 'distributed.cli.dask_worker', ...options])
}

// What may be in the place of a cluster: test/commands/cluster/no-cluster.process.test.ts.
test.runIf(process.getuid?.() === 0)("another user's file, which may not be read", async () => {
  await using cluster = await Cluster.make()
  await writeFile(cluster.path('F.json'), await deadSchedulerFile(), { mode: 0o600 })
  await chmod(cluster.directory, 0o755)
  for (const name of commands) {
    const nobody = ['setpriv', '--reuid', '65534', '--clear-groups', process.execPath, program] as const
    const run = cluster.start([...nobody, name, '--scheduler-file', 'F.json', '--timeout', '2s'])
    await run.expectStatus(69)
    expect(run.stderr).toMatch(/error: Cannot \w+( for)? the cluster of ".*": reading it is not permitted/)
  }
  cluster.expectFile('F.json')
  await cluster.expectNothingLeft()
})

test('a scheduler that hangs is told from one that is gone', async () => {
  await using cluster = await Cluster.make()
  const scheduler = await daskCluster(cluster)
  scheduler.signal('SIGSTOP')
  const silent = /says nothing .*busy, or frozen/
  await expectAll(cluster, { wait: [75, silent], status: [75, silent], stop: [75, silent] })
  await cluster.run(['status', '--scheduler-file', 'F.json', '--follow', '--timeout', '1s']).expectStatus(75)
  scheduler.signal('SIGCONT')
  await expectStopped(cluster)
  await scheduler.expectStatus(0)
  await cluster.expectNothingLeft()
})

test('a scheduler that hangs, and one that dies, while its workers are waited for', async () => {
  await using cluster = await Cluster.make()
  const scheduler = await daskCluster(cluster)
  const began = performance.now()
  const hung = onTerminal(cluster, ['--workers', '2', '--timeout', '30s'])
  // The scheduler has said so by then.
  await hung.expectOutput(/0 of 2 workers run at \S+ \(\d+ s\)/)
  scheduler.signal('SIGSTOP')
  await hung.expectStatus(75)
  expect(performance.now() - began).toBeLessThan(30_000 + slack)
  expect(hung.output).toMatch(/after 30 s the scheduler at tcp:\S+ does not answer \(.*\); 0 ran when it did/)
  scheduler.signal('SIGCONT')

  const lost = onTerminal(cluster, ['--workers', '2', '--timeout', '4m'])
  await lost.expectOutput('0 of 2 workers run')
  scheduler.signal('SIGKILL')
  await lost.expectStatus(69)
  expect(lost.output).toMatch(/Cannot wait for 2 workers: the cluster at tcp:\S+ ended meanwhile/)
  cluster.expectFile('F.json')
  await cluster.expectNothingLeft()
})

test('a scheduler that dies while it is asked', async () => {
  await using cluster = await Cluster.make()
  const scheduler = await daskCluster(cluster)
  scheduler.signal('SIGSTOP')
  const asking = (['status', 'stop'] as const).map((name) =>
    cluster.run([name, '--scheduler-file', 'F.json', '--timeout', '4m']),
  )
  await connections(await portOf(cluster), 2)
  scheduler.signal('SIGKILL')
  await asking[0]?.expectStatus(69)
  expect(asking[0]?.stderr).toMatch(/Cannot ask the cluster of ".*F\.json": its scheduler is gone/)
  await asking[1]?.expectStatus(0)
  expect(asking[1]?.output).toMatch(/Nothing to stop at ".*F\.json": its scheduler is gone/)
  cluster.expectFile('F.json')
  await cluster.expectNothingLeft()
})

test('another Dask scheduler on the old port is not taken for the one of the file, and not stopped', async () => {
  await using cluster = await Cluster.make()
  const scheduler = await daskCluster(cluster)
  const text = await readFile(cluster.path('F.json'), 'utf8')
  const old = text.replace(/"Scheduler-[^"]*"/, '"Scheduler-of-yesterday"')
  await writeFile(cluster.path('old.json'), old)
  const args = ['--scheduler-file', 'old.json']
  const other = /its scheduler is gone, and another one listens at tcp:\S+ now/
  await expectAll(cluster, { wait: [75, other], status: [69, other], stop: [0, other] }, args)
  expect(await readFile(cluster.path('old.json'), 'utf8')).toBe(old)
  cluster.expectFile('old.json')
  await expectStopped(cluster)
  await scheduler.expectStatus(0)
  await cluster.expectNothingLeft()
})

test('wait goes on as soon as a stale file is replaced and a worker runs', async () => {
  await using cluster = await Cluster.make()
  await writeFile(cluster.path('F.json'), await deadSchedulerFile())
  const says = 'echo "$DASK_SCHEDULER_ADDRESS $DASK_HPC_RUNNER_N_WORKERS"; exit 3'
  const wait = onTerminal(cluster, ['--', 'sh', '-c', says])
  await wait.expectOutput('waiting for the cluster of')
  await rm(cluster.path('F.json'))
  await daskCluster(cluster)
  startWorker(cluster, '1')
  await wait.expectStatus(3)
  expect(wait.stdout).toContain(`${await addressOf(cluster)} 1\r\n`)
  await expectStopped(cluster)
  await cluster.expectNothingLeft()
})

test('wait names the workers that are there when others are missing', async () => {
  await using cluster = await Cluster.make()
  await daskCluster(cluster)
  startWorker(cluster, '7')
  const one = cluster.run(['wait', '--scheduler-file', 'F.json'])
  await one.expectStatus(0)
  expect(one.stdout).toBe('')
  const three = cluster.run(['wait', '--scheduler-file', 'F.json', '--workers', '3', '--timeout', '10s'])
  await three.expectStatus(75)
  expect(three.stderr).toMatch(
    /Cannot wait longer for 3 workers: after 10 s 2 are missing at tcp:\S+; there is 7 on 127\.0\.0\.1/,
  )
  const all = cluster.run(['wait', '--scheduler-file', 'F.json', '--workers', 'all', '--', 'echo', 'never'])
  await all.expectStatus(64)
  expect(all.output).toMatch(/Cannot wait for all workers of ".*F\.json": .*give their number/)
  await expectStopped(cluster)
  await cluster.expectNothingLeft()
})

test("TERM, INT and HUP end a wait with 128+n before its program has started, and are its program's then", async () => {
  await using cluster = await Cluster.make()
  const scheduler = await daskCluster(cluster)
  const signals = [
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const
  const before = signals.map(() => cluster.run(['wait', '--scheduler-file', 'F.json']))
  await connections(await portOf(cluster), signals.length)
  for (const [i, [signal, status]] of signals.entries()) {
    before[i]?.signal(signal)
    await before[i]?.expectStatus(status)
  }

  startWorker(cluster, '1')
  const after = signals.map(async ([signal, status]) => {
    const trap = `trap 'echo told; exit 5' ${signal.slice(3)}; echo ready; while :; do sleep 0.1; done`
    const gated = cluster.run(['wait', '--scheduler-file', 'F.json', '--', 'sh', '-c', trap])
    await gated.expectOutput('ready')
    gated.signal(signal)
    await gated.expectStatus(5)
    expect(gated.stdout).toBe('ready\ntold\n')
    const plain = cluster.run(['wait', '--scheduler-file', 'F.json', '--', 'sh', '-c', 'echo ready; exec sleep 600'])
    await plain.expectOutput('ready')
    plain.signal(signal)
    await plain.expectStatus(status)
  })
  await Promise.all(after)

  const gated = cluster.run(['wait', '--scheduler-file', 'F.json', '--', 'sleep', '601'])
  await cluster.expectProcess('sleep 601')
  gated.signal('SIGKILL')
  await gated.ended
  const missing = cluster.run(['wait', '--scheduler-file', 'F.json', '--', 'no-such-program'])
  await missing.expectStatus(127)
  cluster.expectFile('script.py')
  await writeFile(cluster.path('script.py'), 'from dask_mpi import initialize\n')
  const failing = cluster.run(['wait', '--scheduler-file', 'F.json', '--', 'sh', '-c', 'exit 3', 'script.py'])
  await failing.expectStatus(3)
  expect(failing.stderr).toContain('dask-hpc-runner: "script.py" imports dask_mpi')
  expect(missing.stderr).toContain('Cannot start the program: no-such-program: there is no such program')
  await expectStopped(cluster)
  await scheduler.expectStatus(0)
  await cluster.expectNothingLeft()
})

test('a scheduler can be named by its address', async () => {
  await using cluster = await Cluster.make()
  const scheduler = await daskCluster(cluster)
  startWorker(cluster, '1')
  const args = ['--scheduler', await addressOf(cluster)]
  const env = cluster.run(['wait', ...args, '--', 'env'], { DASK_HPC_RUNNER_SCHEDULER_FILE: '/of/another.json' })
  await env.expectStatus(0)
  expect(env.stdout).not.toContain('DASK_HPC_RUNNER_SCHEDULER_FILE')
  const stop = cluster.run(['stop', ...args])
  await stop.expectStatus(0)
  await scheduler.expectStatus(0)
  await cluster.expectNothingLeft()
})

test('status shows what there is, as text and as JSON', async () => {
  await using cluster = await Cluster.make()
  await daskCluster(cluster)
  const empty = cluster.run(['status'], { DASK_HPC_RUNNER_SCHEDULER_FILE: 'F.json' })
  await empty.expectStatus(0)
  expect(empty.stdout).toMatch(/^scheduler +tcp:\/\/127\.0\.0\.1:\d+, for .*, Dask \d+\.\d+.*, Python 3\.\d+/m)
  expect(empty.stdout).toMatch(/^dashboard +none: the scheduler was started without$/m)
  expect(empty.stdout).toMatch(/^workers +0 of 0 run$/m)
  startWorker(cluster, '7')
  await cluster.run(['wait', '--scheduler-file', 'F.json']).expectStatus(0)
  const json = cluster.run(['status', '--scheduler-file', 'F.json', '--json'])
  await json.expectStatus(0)
  const address = await addressOf(cluster)
  expect(JSON.parse(json.stdout)).toMatchObject({
    version: 1,
    scheduler_file: cluster.path('F.json'),
    scheduler: { address, id: expect.stringMatching(/^Scheduler-/) as string },
    dashboard: { state: 'off', tunnel: null },
    run: null,
    workers: [{ name: '7', host: '127.0.0.1', threads: 1, state: 'running' }],
    total: { workers: 1, running: 1, threads: 1, tasks: { executing: 0, ready: 0, memory: 0 } },
  })
  await expectStopped(cluster)
  await cluster.expectNothingLeft()
})

test('status --follow prints a block at each interval, and ends with the cluster, by INT, or when nobody reads', async () => {
  await using cluster = await Cluster.make()
  await daskCluster(cluster)
  const follow = (...more: string[]): Started =>
    cluster.run(['status', '--scheduler-file', 'F.json', '--follow', '--interval', '200ms', ...more])
  const [toTheEnd, interrupted, json] = [follow(), follow(), follow('--json')]
  await Promise.all([toTheEnd, interrupted].map(async (run) => run.expectOutput(/(^scheduler (.|\n)*){3}/m)))
  await json.expectOutput(/(^\{"version":1.*\}\n){3}/m)
  interrupted.signal('SIGINT')
  await interrupted.expectStatus(0)
  json.signal('SIGTERM')
  await json.expectStatus(143)
  const read = `'${process.execPath}' '${program}' status --scheduler-file F.json --follow --interval 200ms`
  const head = cluster.start(['bash', '-c', `${read} | head -1; echo "\${PIPESTATUS[0]}"`])
  await head.expectOutput(/\n0\n/)
  await expectStopped(cluster)
  await toTheEnd.expectStatus(0)
  expect(toTheEnd.stderr).toMatch(/the cluster of ".*F\.json" has ended/)
  await cluster.expectNothingLeft()
})

test('a connection that is cut is not the end of the cluster: it is asked again', async () => {
  await using cluster = await Cluster.make()
  const scheduler = await daskCluster(cluster)
  using proxy = await CountingProxy.before(await addressOf(cluster))
  const args = ['--scheduler', proxy.address]
  const follow = cluster.run(['status', ...args, '--follow', '--json', '--interval', '100ms'])
  const wait = cluster.run(['wait', ...args])
  await follow.expectOutput(/(^\{"version":1.*\}\n){2}/m)
  await until(
    () => proxy.asked.includes('ncores_running'),
    (asked) => asked,
    { what: 'the workers are waited for', say: () => wait.output },
  )
  proxy.reset()
  startWorker(cluster, '7')
  await wait.expectStatus(0)
  await follow.expectOutput('"name":"7"')
  scheduler.signal('SIGTERM')
  await follow.expectStatus(0)
  expect(follow.stderr).toContain('has ended')
  await cluster.expectNothingLeft()
})

test('stop ends a Dask cluster and says what it was', async () => {
  await using cluster = await Cluster.make()
  const scheduler = await daskCluster(cluster)
  const worker = startWorker(cluster, '1')
  await cluster.run(['wait', '--scheduler-file', 'F.json']).expectStatus(0)
  const address = await addressOf(cluster)
  const stop = cluster.run(['stop', '--scheduler-file', 'F.json'])
  await stop.expectStatus(0)
  expect(stop.stdout).toBe(`Stopped the scheduler at ${address} and 1 worker\n`)
  await scheduler.expectStatus(0)
  await worker.expectStatus(0)
  const again = cluster.run(['stop', '--scheduler-file', 'F.json'])
  await again.expectStatus(0)
  expect(again.stdout).toMatch(/^Nothing to stop at ".*F\.json": there is no such file$/m)
  await cluster.expectNothingLeft()
})

test('a scheduler that wants TLS is asked with the certificate of the flags, or of the environment', async () => {
  await using cluster = await Cluster.make()
  const authority = new Authority(`${cluster.directory}/certificates`)
  const [theirs, ours] = [authority.sign('scheduler'), authority.sign('user')]
  const flags = ({ caFile, cert, key }: Certificate): string[] => [
    '--tls-ca-file',
    caFile,
    '--tls-cert',
    cert,
    '--tls-key',
    key,
  ]
  await startDaskScheduler(cluster, cluster.path('F.json'), { args: ['--protocol', 'tls', ...flags(theirs)] })
  const none = /Cannot connect to tls:\/\/\S+: TLS needs a certificate; name --tls-ca-file/
  await expectAll(cluster, { wait: [78, none], status: [78, none], stop: [78, none] })
  const stranger = new Authority(`${cluster.directory}/other`).sign('stranger')
  const refused = /certificate/
  const other = ['--scheduler-file', 'F.json', ...flags(stranger)]
  await expectAll(cluster, { wait: [78, refused], status: [78, refused], stop: [78, refused] }, other)
  await startDaskScheduler(cluster, cluster.path('plain.json'))
  const text = await readFile(cluster.path('plain.json'), 'utf8')
  await writeFile(cluster.path('tls.json'), text.replace('tcp://', 'tls://'))
  const plain = /does not speak TLS; write the address as tcp:/
  const wrong = ['--scheduler-file', 'tls.json', ...flags(ours)]
  await expectAll(cluster, { wait: [75, plain], status: [69, plain], stop: [69, plain] }, wrong)
  cluster.expectFile('tls.json')
  await cluster.run(['stop', '--scheduler-file', 'plain.json']).expectStatus(0)
  const env = {
    DASK_DISTRIBUTED__COMM__TLS__CA_FILE: ours.caFile,
    DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT: ours.cert,
    DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY: ours.key,
  }
  const status = cluster.run(['status', '--scheduler-file', 'F.json'], env)
  await status.expectStatus(0)
  expect(status.stdout).toMatch(/^scheduler +tls:\/\//)
  const stop = cluster.run(['stop', '--scheduler-file', 'F.json', ...flags(ours)])
  await stop.expectStatus(0)
  await cluster.expectNothingLeft()
})

/** A `wait` on a terminal of its own, where progress shows at once. */
function onTerminal(cluster: Cluster, args: readonly string[]): Started {
  const words = [process.execPath, program, 'wait', '--scheduler-file', 'F.json', ...args]
  return cluster.start(['script', '-qec', words.map((word) => `'${word}'`).join(' '), '/dev/null'])
}

async function expectStopped(cluster: Cluster): Promise<void> {
  const stop = cluster.run(['stop', '--scheduler-file', 'F.json'])
  await stop.expectStatus(0)
  expect(stop.stdout).toMatch(/^Stopped the scheduler/)
}

/** Waits until so many connections to a port of this machine are there. */
async function connections(port: number, wanted: number): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const look = async (): Promise<number> =>
    (await readFile('/proc/net/tcp', 'utf8')).split('\n').filter((line) => {
      const [, , remote, state] = line.trim().split(/\s+/)
      return remote?.endsWith(`:${hex}`) === true && state === '01'
    }).length
  await until(look, (n) => n >= wanted, { what: `${wanted} connections to port ${port} are there`, say: String })
}
