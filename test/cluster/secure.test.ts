import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Cluster, program, programs, type Started } from '../support/cluster.ts'
import { published } from '../support/dask.ts'
import { compile } from '../support/library-program.ts'
import { canMount } from '../support/mount.ts'
import { pythons } from '../support/pythons.ts'
import { makePrivate, makeShared, shellAs, stranger } from '../support/second-user.ts'

const clients = join(programs, 'clients.py')
const all = 'plain tls 6\nfile tls 6\naddress tls 6\ntask tls 6\nown cluster tls 6\n'

/** Directories of certificates of the run that a process has started. */
async function secrets({ pid }: Started): Promise<readonly string[]> {
  // The key of a run has six digits behind the number of the process.
  const own = new RegExp(`-local${pid}[0-9a-f]{6}\\..*-tls-`)
  return (await readdir('/dev/shm')).filter((name) => own.test(name))
}

// What the ranks of a step have: test/slurm/secure.test.ts.
describe.for(pythons())('with %s', ([, python]) => {
  test.skipIf(python === undefined)('--secure alone has all of Dask speak TLS', async () => {
    await using cluster = await Cluster.make()
    const args = ['--secure', '--nworkers', '2', '--nthreads', '1', '--python', python ?? '']
    const run = cluster.run(['local', '-n', '3', ...args, '--', python ?? '', clients])
    await run.expectStatus(0)
    expect(run.stdout).toBe(all)
    // Of the program's own cluster.
    cluster.expectTemporary('dask-scratch-space')
    await cluster.expectNothingLeft()
    expect(await secrets(run)).toEqual([])
  })
})

test('a run within a secure run is secure too, and says why it cannot be otherwise', async () => {
  await using cluster = await Cluster.make()
  const show = 'from dask.distributed import Client; c = Client(); print(c.scheduler.address.split(":")[0])'
  const script = `"$0" "$1" local -n 1 -- python3 -c '${show}'; "$0" "$1" local -n 1 --protocol tcp -- false || echo $?`
  const run = cluster.run(['local', '-n', '1', '--secure', '--', '/bin/sh', '-c', script, process.execPath, program])
  await run.expectStatus(0)
  expect(run.stdout).toBe('tls\n64\n')
  expect(run.stderr).toContain('Cannot use DASK_HPC_RUNNER_SECURE with --protocol tcp: add --no-secure\n')
  await cluster.expectNothingLeft()
})

/** Runs what follows where /dev/shm is full, and shows the test's directory all the same. */
const fullMemory = `mount --bind "$0" /mnt; mount -t tmpfs -o size=64k tmpfs /dev/shm; mkdir "$0"; mount --bind /mnt "$0"
  head -c 65536 /dev/zero >/dev/shm/full 2>/dev/null || :; exec "$@"`

test.skipIf(!canMount && process.env.CI !== 'true')(
  'where /dev/shm is full the certificates are in TMPDIR',
  async () => {
    await using cluster = await Cluster.make()
    const print = ['/bin/sh', '-c', 'echo "$DASK_DISTRIBUTED__COMM__TLS__CA_FILE"']
    const run = [process.execPath, program, 'local', '-n', '1', '--secure', '--', ...print]
    const there = cluster.start(['unshare', '--mount', '/bin/sh', '-c', fullMemory, cluster.directory, ...run])
    await there.expectStatus(0)
    expect(there.stdout).toMatch(new RegExp(`^${cluster.directory}/tmp/dask-hpc-runner-local-\\S+-tls-\\w+/ca.pem\n$`))
    await cluster.expectNothingLeft()
  },
)

test.skipIf(!canMount && process.env.CI !== 'true').for(['may write', 'owns'])(
  'where /dev/shm is full and somebody else %s TMPDIR, the certificates are in /tmp, those of env too',
  async (does) => {
    await using cluster = await Cluster.make()
    await chmod(cluster.directory, 0o755)
    const shared =
      does === 'owns'
        ? await makePrivate(stranger, join(cluster.directory, 'his'))
        : await makeShared(cluster.directory, 'shared', 'group')
    await shellAs(stranger, 'mkdir "$1/mine"; mv "$1/mine" "$1/other"; rmdir "$1/other"', shared)
    const script = `echo "$DASK_DISTRIBUTED__COMM__TLS__CA_FILE"; unset $(env | sed -n 's/=.*//; /^DASK_DIST/p')
      "$0" "$1" env --scheduler-file "$2" | sed -n 's/^export DASK_DISTRIBUTED__COMM__TLS__CA_FILE=//p'
      ls -A "$TMPDIR"; "$0" "$1" env --scheduler-file "$2" --remove >removed`
    const file = cluster.path('F.json')
    const client = ['/bin/sh', '-c', script, process.execPath, program, file]
    const args = ['local', '-n', '1', '--secure', '--scheduler-file', file, '--', ...client]
    const run = cluster.start(
      ['unshare', '--mount', '/bin/sh', '-c', fullMemory, cluster.directory, ...cluster.command(...args)],
      { TMPDIR: shared, XDG_RUNTIME_DIR: undefined },
    )
    await run.expectStatus(0)
    const lines = run.stdout.trim().split('\n')
    expect(lines, run.output).toEqual([
      expect.stringMatching(/^\/tmp\/dask-hpc-runner-local-\S+-tls-\w+\/ca.pem$/),
      expect.stringMatching(/^'?\/tmp\/dask-hpc-runner-env-0-\w+\/ca.pem'?$/),
    ])
    expect(run.stderr).toContain(does === 'owns' ? `"${shared}" belongs to the user` : `may write "${shared}"`)
    for (const line of lines) expect(existsSync(dirname(line.replaceAll("'", ''))), line).toBe(false)
    expect(await readdir(shared)).toEqual([])
    cluster.expectFile('removed')
    await cluster.expectNothingLeft()
  },
)

test('workers are added to a secure cluster by --secure, and to no other', async () => {
  await using cluster = await Cluster.make()
  const file = cluster.path('F.json')
  const first = cluster.run(['local', '-n', '2', '--secure', '--no-client', '--scheduler-file', file])
  const { address } = JSON.parse(await published(file, first)) as { address: string }
  const join2 = ['local', '-n', '1', '--no-scheduler', '--nthreads', '1', '--scheduler-file', file]
  const show =
    'from dask.distributed import Client; c = Client(); c.wait_for_workers(3); print(len(c.scheduler_info()["workers"]))'
  const second = cluster.run([...join2, '--secure', '--wait-workers', '3', '--', 'python3', '-c', show])
  await second.expectStatus(0)
  expect(second.stdout).toBe('3\n')
  const without = cluster.run([...join2, '--', 'false'])
  await without.expectStatus(78)
  expect(without.stderr).toContain(
    `Cannot join the cluster at ${address}: it was started with --secure; add it here too`,
  )
  first.signal('SIGTERM')
  await first.ended
  expect(await readFile(file, 'utf8').catch(() => 'gone')).toBe('gone')
  await cluster.expectNothingLeft()
})

test('wait, status, stop and a client in TypeScript get the certificates of a secure run by themselves, and leave none; env has a shell and a notebook join it', async () => {
  await using cluster = await Cluster.make()
  const file = cluster.path("it's.json")
  const run = cluster.run(['local', '-n', '2', '--secure', '--no-client', '--scheduler-file', file])
  await published(file, run)
  const there = ['--scheduler-file', file]
  const wait = cluster.run(['wait', ...there, '--workers', '2', '--', 'python3', join(programs, 'submit.py')])
  await wait.expectStatus(0)
  expect(wait.stdout).toBe('result 21\n')
  const client = cluster.start([process.execPath, await compile(cluster, 'client-by-file'), file])
  await client.expectStatus(0)
  expect(client.stdout).toBe('tls 21\n')
  const status = cluster.run(['status', ...there])
  await status.expectStatus(0)
  expect(status.stdout).toMatch(/^scheduler +tls:\/\/.*^workers +2 of 2 run/ms)

  const env = {
    PATH: `${cluster.directory}/bin:${process.env.PATH ?? ''}`,
    HOME: cluster.path('.'),
    XDG_RUNTIME_DIR: cluster.path('login'),
  }
  await mkdir(env.XDG_RUNTIME_DIR, { mode: 0o700 })
  const execute = async (text: string): Promise<string> => {
    const { stdout } = await promisify(execFile)('/bin/sh', ['-ec', text, process.execPath, program, file], { env })
    return stdout
  }
  const call = '"$0" "$1" env --scheduler-file "$2"'
  const show = 'print(client.submit(sum, [1, 2, 3]).result())'
  const plain = `python3 -c 'from dask.distributed import Client; client = Client(); ${show}'`
  expect(await execute(`eval "$(${call})"; ${plain}`)).toBe('6\n')
  expect(await execute(`{ ${call} --python; echo '${show}'; } | python3 -`)).toBe('6\n')
  const kept = (await readdir(env.XDG_RUNTIME_DIR)).map((name) => join(env.XDG_RUNTIME_DIR, name))
  expect(kept).toHaveLength(1)
  const modes = await Promise.all(
    ['', 'ca.pem', 'cert.pem', 'key.pem'].map(async (name) => (await stat(join(kept[0] ?? '', name))).mode & 0o7777),
  )
  expect(modes).toEqual([0o700, 0o600, 0o600, 0o600])
  // Once more in the shell that has the variables, which then has them no more.
  const gone = `eval "$(${call})"; eval "$(${call})"; eval "$(${call} --remove)"; env | grep -c DASK || true`
  expect(await execute(gone)).toBe('0\n')
  expect(await readdir(env.XDG_RUNTIME_DIR)).toEqual([])

  const stop = cluster.run(['stop', ...there])
  await stop.expectStatus(0)
  expect(stop.stdout).toMatch(/^Stopped the scheduler at tls:.* and 2 workers of run /)
  await run.ended
  expect(await execute(`${call} 2>&1 >got || echo $?; test ! -s got; rm got`)).toMatch(
    /^dask-hpc-runner: error: .*\n69\n$/,
  )
  await rm(env.XDG_RUNTIME_DIR, { recursive: true })
  await cluster.expectNothingLeft()
  expect(await secrets(run)).toEqual([])
})
