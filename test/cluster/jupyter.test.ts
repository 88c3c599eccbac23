import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test as anyTest } from 'vitest'
import { Cluster, programs, python, type Started } from '../support/cluster.ts'

const test = anyTest.skipIf(process.env.DASK_HPC_RUNNER_TEST_NO_JUPYTER !== undefined)

/** A port that nobody gets by chance: the kernel gives those from 32768 on. */
async function freePort(): Promise<number> {
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const server = createServer()
  const isTaken = await new Promise((resolve) => {
    server.once('error', resolve).listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)))
  })
  return isTaken === undefined ? port : await freePort()
}

/** A cluster whose program is a notebook server, in which a notebook has used the cluster with a plain `Client()`. */
async function startNotebook(
  cluster: Cluster,
  { what = 'stay', by = [] }: { readonly what?: 'quit' | 'stay'; readonly by?: readonly string[] } = {},
): Promise<{ readonly run: Started; readonly notebook: Started }> {
  const port = await freePort()
  const [home, token] = [join(cluster.directory, 'tmp/home'), 'of-this-test']
  await mkdir(home)
  cluster.expectTemporary('home')
  const jupyter = ['notebook', '--no-browser', '--allow-root', `--port=${port}`, '--port-retries=0']
  const local = ['local', '-n', '1', '--python', python]
  const command = cluster.command(...local, '--', python, '-m', 'jupyter', ...jupyter, `--NotebookApp.token=${token}`)
  const [first = '', ...rest] = [...by, ...command]
  const run = cluster.start([first, ...rest], { HOME: home, JUPYTERHUB_SERVICE_PREFIX: '/user/me/' })
  const url = `http://127.0.0.1:${port}`
  const notebook = cluster.start([python, join(programs, 'use_notebook.py'), url, token, what], { HOME: home })
  await notebook.expectOutput('ran the cell')
  expect(notebook.stdout).toContain('sum 3\n')
  expect(notebook.stdout).toMatch(/^link \/user\/me\/proxy\/127\.0\.0\.1:\d+\/status$/m)
  return { run, notebook }
}

test("a notebook uses the cluster with a plain Client(), and the end by Jupyter's menu is that of the run", async () => {
  await using cluster = await Cluster.make()
  const { run, notebook } = await startNotebook(cluster, { what: 'quit' })
  await notebook.expectStatus(0)
  await run.expectStatus(0)
  await cluster.expectNothingLeft()
})

test('a TERM ends Jupyter and its kernels in order', async () => {
  await using cluster = await Cluster.make()
  const { run } = await startNotebook(cluster)
  run.signal('SIGTERM')
  await run.expectStatus(0)
  expect(run.stderr).not.toContain('it is killed')
  await cluster.expectNothingLeft()
})

test('a Ctrl-C at a terminal ends Jupyter, which asks there whether it was meant and is answered', async () => {
  await using cluster = await Cluster.make()
  const { run } = await startNotebook(cluster, { by: [python, join(programs, 'at_terminal.py')] })
  run.signal('SIGUSR1')
  await run.expectOutput('Shutdown this notebook server (y/[n])?')
  run.signal('SIGUSR2')
  await run.expectStatus(0)
  expect(run.output).not.toContain('it is killed')
  await cluster.expectNothingLeft()
})
