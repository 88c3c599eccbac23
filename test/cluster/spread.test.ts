import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { childOf } from '../support/child-of.ts'
import { Cluster, programs, type Started } from '../support/cluster.ts'
import { canHang, HangingMount } from '../support/hanging-mount.ts'
import { kill } from '../support/processes.ts'

const starts = resolve(import.meta.dirname, '../../fixtures/remote-starts')

/** Starts `spread`, on hosts of the fixtures, with a file of these hosts. */
async function spread(
  cluster: Cluster,
  hosts: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Started> {
  await writeFile(cluster.path('hosts'), hosts)
  cluster.expectFile('hosts')
  return cluster.run(['spread', ...args], {
    PATH: `${join(cluster.directory, 'bin')}:${starts}:${process.env.PATH ?? ''}`,
    ...env,
  })
}

const hold = ['--', 'run', '--', 'python3', join(programs, 'hold.py'), 'go']

for (const [program, env] of [
  ['ssh', {}],
  ['qrsh', { PE_HOSTFILE: 'hosts', JOB_ID: '17', SGE_TASK_ID: 'undefined' }],
  ['pbsdsh', { PBS_NODEFILE: 'hosts', PBS_JOBID: '17.server' }],
] as const)
  test.concurrent(
    `${program} starts a rank on each host, which gets directory and environment, and shows none of it`,
    async () => {
      await using cluster = await Cluster.make()
      const log = cluster.path('commands')
      cluster.expectFile('commands')
      const shown =
        'python3 -c "from dask.distributed import Client; c = Client(); print(c.submit(sum, [20, 1]).result())"; pwd; echo "$PASSWORD"; printf "a\\r\\n%0200000d" 7; exit 3'
      const hosts = program === 'pbsdsh' ? 'hostA\nhostB\nhostB\nhostC\n' : 'hostA 1 q\nhostB 2 q\nhostC 1 q\n'
      const source = program === 'ssh' ? ['--hosts-from', 'hosts'] : []
      const run = await spread(cluster, hosts, [...source, '--', 'run', '--', 'sh', '-c', shown], {
        PASSWORD: 'secret word',
        // What a site may have for another launcher.
        ...{ DASK_HPC_RUNNER_RANK_FROM: 'SITE_RANK', DASK_HPC_RUNNER_SIZE_FROM: 'SITE_SIZE' },
        DASK_HPC_RUNNER_RUN_ID_FROM: 'SITE_JOB',
        REMOTE_START_LOG: log,
        ...env,
      })
      await run.expectStatus(3)
      // Neither the end of a line is another, nor is there one more.
      expect(run.stdout).toBe(`21\n${cluster.work}\nsecret word\na\r\n${'7'.padStart(200_000, '0')}`)
      expect(run.stderr).toContain(`3 ranks on 3 hosts by ${program}\n`)
      if (program !== 'ssh') expect(run.stderr).toContain('run spread-17.')
      const commands = (await readFile(log, 'utf8')).trimEnd().split('\n')
      const places = program === 'pbsdsh' ? ['0', '1', '3'] : ['hostA', 'hostB', 'hostC']
      expect(commands.map((each) => / (host.|[0-9]+) /.exec(each.replace('=20', ''))?.[1]).sort()).toEqual(places)
      expect(commands.join()).not.toMatch(/secret|client|Client/)
      await cluster.expectNothingLeft()
    },
  )

for (const [host, says] of [
  [
    'unknown1',
    /Cannot start rank 2 on "unknown1" by ssh: it exited with status 255 .*: ssh: Could not resolve hostname unknown1.*; see whether "ssh -o BatchMode=yes unknown1 true" works/,
  ],
  ['denied1', /Cannot start rank 2 on "denied1" by ssh: .*Permission denied/],
  ['silent1', /Cannot start rank 2 on "silent1" by ssh: it is not ready after 20 s/],
] as const)
  test.concurrent(`everything ends at once where rank 2 cannot be started on ${host}`, async () => {
    await using cluster = await Cluster.make()
    // The other two are to be ready by then, also on a busy machine.
    const args = ['--hosts-from', 'hosts', '--start-timeout', '20s', ...hold]
    const run = await spread(cluster, `localhost\nhostB\n${host}\n`, args)
    const { status } = await run.ended
    expect(status, run.output).toBe(host === 'silent1' ? 75 : 69)
    expect(run.stderr).toMatch(says)
    expect(run.stderr.trimEnd().split('\n')).toHaveLength(2)
    expect(run.stdout).toBe('')
    await cluster.expectNothingLeft()
  })

test.concurrent.each([
  ['ssh', []],
  ['pbsdsh', ['--with', 'pbsdsh']],
])('signals reach the program by %s, and its status is that of spread', async (_, args) => {
  await using cluster = await Cluster.make()
  const counting = ['--', 'run', '--', 'python3', join(programs, 'signals.py'), '1', '7']
  const env = { PBS_NODEFILE: 'hosts' }
  const run = await spread(cluster, 'localhost\nhostB\nhostC\n', ['--hosts-from', 'hosts', ...args, ...counting], env)
  await run.expectOutput('ready')
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
    run.signal(signal)
    await run.expectOutput(`came ${signal}`)
  }
  // This one the others of the run tell the client's rank, too, and those that look for words hear of it at different moments.
  run.signal('SIGTERM')
  await run.expectStatus(7)
  expect(run.stdout).toContain("counts [('SIGTERM', 1), ('SIGUSR1', 1), ('SIGUSR2', 1)]\n")
  await cluster.expectNothingLeft()
})

test.concurrent.each([
  ['ssh', []],
  ['pbsdsh', ['--with', 'pbsdsh']],
])('where spread is killed, the ranks end that %s has started', async (_, args) => {
  await using cluster = await Cluster.make()
  const env = { PBS_NODEFILE: 'hosts' }
  const run = await spread(cluster, 'hostA\nhostB\nhostC\n', ['--hosts-from', 'hosts', ...args, ...hold], env)
  await run.expectOutput('ready')
  kill(run.pid, 'SIGKILL')
  await cluster.expectNothingLeft()
})

test.concurrent.each([
  ['the remote start by ssh', 'ssh', 'ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15 hostB'],
  ['the remote start by pbsdsh', 'pbsdsh', 'pbsdsh -n 1 '],
  ['the process, started by pbsdsh,', 'pbsdsh', 'pbsdsh -n 1 '],
])(
  "where %s of the client's rank is killed, all ends with the status of the failure",
  async (what, program, command) => {
    await using cluster = await Cluster.make()
    const args = ['--hosts-from', 'hosts', '--with', program, ...hold]
    const run = await spread(cluster, 'hostA\nhostB\nhostC\n', args, { PBS_NODEFILE: 'hosts' })
    await run.expectOutput('ready')
    const remote = await cluster.expectProcess(join(starts, command))
    kill(what.startsWith('the remote') ? remote : await childOf(cluster, remote), 'SIGKILL')
    await run.expectStatus(69)
    await cluster.expectNothingLeft()
  },
)

test.concurrent('a rank that hears nothing of its launcher ends in its time', async () => {
  await using cluster = await Cluster.make()
  const directory = cluster.path('.spread.run-0')
  cluster.expectFile('.spread.run-0')
  await mkdir(directory, { mode: 0o700 })
  const orders = { word: 'w', directory: cluster.work, env: {}, args: ['run'], beginTimeout: 1_000, lookInterval: 0 }
  await writeFile(join(directory, 'orders-0'), JSON.stringify(orders), { mode: 0o600 })
  const run = cluster.run(['rank', directory, '0'])
  await run.expectStatus(75)
  expect(run.stderr).toMatch(/Cannot begin the run on host ".*": spread has said nothing for 1 s/)
  expect((await readdir(directory)).sort()).toEqual(['ended-0-75', 'orders-0', 'ready-0'])
  await cluster.expectNothingLeft()
})

test.skipIf(!canHang)(
  'a working directory that hangs ends spread in its time, and at a signal',
  { concurrent: true },
  async () => {
    await using cluster = await Cluster.make()
    const directory = join(cluster.directory, 'mounted')
    await using mount = await HangingMount.of(join(cluster.directory, 'source'), directory)
    await writeFile(cluster.path('hosts'), 'hostA\nhostB\n')
    cluster.expectFile('hosts')
    cluster.expectFile('go')
    const [late, held] = ['2s', '1h'].map((time) => {
      const flags = ['--hosts-from', cluster.path('hosts'), '--with', 'pbsdsh', '--start-timeout', time]
      const command = cluster.command('spread', ...flags, ...hold)
      const waits = 'echo started; while [ ! -e "$GO" ]; do sleep 0.1; done; exec "$@"'
      return cluster.start(
        ['sh', '-c', waits, 'sh', ...command],
        { GO: cluster.path('go'), PBS_NODEFILE: cluster.path('hosts') },
        directory,
      )
    })
    for (const run of [late, held]) await run?.expectOutput('started')
    mount.hang()
    await writeFile(cluster.path('go'), '')
    // What would hold the end is killed then: the call that hangs.
    expect(await late?.ended).toEqual({ status: null, signal: 'SIGKILL' })
    expect(late?.stderr).toContain(`its filesystem has not answered for 2 s; start spread in a directory`)
    await cluster.expectProcess('Outlives its supervisor')
    held?.signal('SIGTERM')
    expect(await held?.ended).toEqual({ status: null, signal: 'SIGKILL' })
    expect(held?.stderr).toBe('')
    await cluster.expectNothingLeft()
  },
)

test.concurrent('says what is wrong before anything starts', async () => {
  await using cluster = await Cluster.make()
  for (const [args, status, says] of [
    [['--', 'python3', 'x.py'], 64, 'Cannot spread "python3": what follows -- is run'],
    [['--hosts-from', 'hosts', '--', 'run', '--size', '3', '--', 'x'], 64, 'Cannot use --size with --runner spread'],
    [
      ['--hosts-from', 'hosts', '--', 'run', '--identity', 'task', '--', 'x'],
      64,
      'Cannot use --identity with --runner',
    ],
    [['--hosts-from', 'hosts', '--', 'run', '--grace', 'soon', '--', 'x'], 64, 'Cannot use --grace "soon"'],
    [['--', 'run', '--', 'x'], 78, 'none of OAR_NODE_FILE, OAR_NODEFILE, PE_HOSTFILE'],
    [['--hosts-from', 'none', '--', 'run', '--', 'x'], 78, 'Cannot read the hosts of "none": there is no such file'],
    [['--hosts-from', 'hosts', '--', 'run', '--', 'x'], 78, 'line 1 is "-oProxyCommand=x"'],
  ] as const) {
    const run = await spread(cluster, '-oProxyCommand=x\n', args)
    await run.expectStatus(status)
    expect(run.stderr).toContain(says)
  }
  await cluster.expectNothingLeft()
})
