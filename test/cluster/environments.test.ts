import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs, python } from '../support/cluster.ts'

const stands = resolve(import.meta.dirname, '../../fixtures/environments')
const client = `from dask.distributed import Client
if __name__ == "__main__":
    with Client() as client:
        print("result", client.submit(sum, [1, 2]).result())
`

/** Nothing on PATH has Dask: it is in an environment of uv, conda or pixi alone. */
async function environmentOf(cluster: Cluster): Promise<NodeJS.ProcessEnv> {
  const bin = join(cluster.directory, 'environment/bin')
  await mkdir(bin, { recursive: true })
  await writeFile(join(bin, 'python'), `#!/bin/sh\nexec '${python}' "$@"\n`, { mode: 0o755 })
  await writeFile(join(cluster.directory, 'bin/python3'), '#!/bin/sh\nexit 1\n')
  await chmod(join(cluster.directory, 'bin/python3'), 0o755)
  await writeFile(cluster.path('client.py'), client)
  cluster.expectFile('client.py')
  return { PATH: `${cluster.directory}/bin:${stands}`, FAKE_ENVIRONMENT: join(cluster.directory, 'environment') }
}

test.for([
  ['uv run client.py', '3'],
  ['conda run -n x python client.py', '1'],
  ['pixi run python client.py', '1'],
] as const)(
  'the cluster of "%s" runs in the Python of that environment, in each of its processes (%s)',
  async ([command, size]) => {
    await using cluster = await Cluster.make()
    const env = await environmentOf(cluster)
    const run = cluster.run(['local', '-n', size, '--', ...command.split(' ')], env)
    await run.expectStatus(0)
    expect(run.stdout).toBe('result 3\n')
    run.expectNoAlarm()
    await cluster.expectNothingLeft()
  },
)

test('where one does not tell its Python, the run says which one the cluster has', async () => {
  await using cluster = await Cluster.make()
  cluster.expectFile('end')
  const untilEnd = 'while [ ! -e end ]; do sleep 0.1; done'
  const run = cluster.run(['local', '-n', '1', '--', 'uv', 'run', 'sh', '-c', untilEnd], {
    PATH: `${cluster.directory}/bin:${stands}:/usr/bin:/bin`,
    FAKE_ENVIRONMENT: '/nowhere',
  })
  await run.expectOutput(/it is not known in which Python "uv run sh -c .*" runs: see that it is \S+python3/)
  await writeFile(cluster.path('end'), '')
  await run.expectStatus(0)
  await cluster.expectNothingLeft()
})

test('a program that fails because its Python has no Dask is told so, with the Python that has it', async () => {
  await using cluster = await Cluster.make()
  // Without its site-packages it has none.
  await writeFile(join(cluster.directory, 'bin/python'), `#!/bin/sh\nexec '${python}' -S "$@"\n`, { mode: 0o755 })
  const run = cluster.run(['local', '-n', '3', '--', 'python', '-c', 'import distributed'])
  await run.expectStatus(1)
  expect(run.stderr).toContain('ModuleNotFoundError')
  const said = run.stderr.match(/the client program runs in .*/g)
  expect(said).toHaveLength(1)
  expect(said?.[0]).toMatch(
    /runs in \S+\/bin\/python \(Python 3\S+\), which has no module distributed, and the cluster .*(in|of) \S+: activate one environment/,
  )
  await cluster.expectNothingLeft()
})

test('one that takes its time to tell its Python is named', async () => {
  await using cluster = await Cluster.make()
  const env = await environmentOf(cluster)
  // The first time only: it is asked once more for the versions.
  const slow = `#!/bin/sh\n[ "$2" != python ] || [ -e "$0.asked" ] || { : >"$0.asked"; /bin/sleep 5; }\nexec '${stands}/uv' "$@"\n`
  await writeFile(join(cluster.directory, 'bin/uv'), slow, { mode: 0o755 })
  // 5 s are 20 s to the run, which says every 10 s what it waits for.
  const fast = { ...env, NODE_OPTIONS: `--require=${join(programs, 'fast-clock.cjs')}` }
  const run = cluster.run(['local', '-n', '1', '--', 'uv', 'run', 'client.py'], fast)
  await run.expectStatus(0)
  expect(run.stderr).toMatch(/waiting on \S+ for "uv run client\.py" to say which Python it runs \(\d+ s\)/)
  await cluster.expectNothingLeft()
})

test('one that hangs is ended, with all that it has started, when the run is', async () => {
  await using cluster = await Cluster.make()
  await writeFile(join(cluster.directory, 'bin/uv'), '#!/bin/sh\nsleep 1000; exit 0\n', { mode: 0o755 })
  const run = cluster.run(['local', '-n', '2', '--', 'uv', 'run', 'client.py'])
  await cluster.expectProcess('sleep 1000')
  run.signal('SIGTERM')
  await run.expectStatus(143)
  await cluster.expectNothingLeft()
})
