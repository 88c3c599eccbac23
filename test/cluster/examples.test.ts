import { copyFile, mkdir, readFile, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { Cluster, program } from '../support/cluster.ts'
import { fourTasks, startTasks } from '../support/step.ts'

const root = resolve(import.meta.dirname, '../..')
const examples = join(root, 'examples')
const sum = 'sum of squares: 285\n'

// client.py runs in a job of four tasks, too, and so does client.ts: test/slurm/examples.test.ts. demo.py: demo.test.ts.
test('client_scheduler_file.py runs in a job of four processes', async () => {
  await using cluster = await Cluster.make()
  const tasks = startTasks(cluster, fourTasks(), ['--', 'python3', join(examples, 'client_scheduler_file.py')])
  for (const task of tasks) await task.expectStatus(0)
  expect(tasks.map(({ stdout }) => stdout)).toEqual(['', sum, '', ''])
  for (const task of tasks) task.expectNoAlarm()
  await cluster.expectNothingLeft()
})

test('cluster.ts runs in a job of four processes', async () => {
  await using cluster = await Cluster.make()
  await copyClient(cluster)
  const example = await compile(cluster, 'cluster')
  const tasks = fourTasks().map((env) => cluster.start([process.execPath, example], env))
  for (const task of tasks) await task.expectStatus(0)
  const [scheduler, client, ...workers] = tasks.map(({ stdout }) => stdout)
  expect(client).toMatch(/^2 workers at tcp:\/\/\S+\nsum of squares: 285\n$/)
  expect([scheduler, ...workers]).toEqual(['', '', ''])
  for (const task of tasks) task.expectNoAlarm()
  await cluster.expectNothingLeft()
})

test('local.ts runs on one machine', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.start([process.execPath, await compile(cluster, 'local')])
  await run.expectStatus(0)
  expect(run.stdout).toBe('3 workers, scheduler is ok\n')
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

test.for([
  ['README.md', 'job.sbatch'],
  ['docs/around-a-cluster.md', 'background.sbatch'],
] as const)('%s shows %s as it is', async ([page, script]) => {
  const text = await readFile(join(root, page), 'utf8')
  expect(blocks(text, 'bash')).toContain(await readFile(join(examples, script), 'utf8'))
})

test('the README names the scripts of package.json', async () => {
  const [first] = blocks(await readFile(join(root, 'README.md'), 'utf8'), 'sh')
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: object }
  const named = [...(first ?? '').matchAll(/^npm (?:run )?(\w+)/gm)].map(([, name]) => name)
  expect(named).toEqual(['demo', 'test'])
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named))
})

test('the commands that the documentation marks as runnable run', async () => {
  await using cluster = await Cluster.make()
  await copyClient(cluster)
  const bin = join(cluster.directory, 'bin')
  await symlink(program, join(bin, 'dask-hpc-runner'))
  await symlink(join(bin, 'python3'), join(bin, 'python'))
  const pages = await Promise.all(['README.md', 'docs/doctor.md'].map((page) => readFile(join(root, page), 'utf8')))
  const commands = pages.flatMap((page) => blocks(page, 'sh runnable'))
  expect(commands).toHaveLength(2)
  const printed: string[] = []
  for (const command of commands) {
    const shell = cluster.start(['bash', '-e', '-c', command])
    await shell.expectStatus(0)
    shell.expectNoAlarm()
    printed.push(shell.stdout)
  }
  expect(printed[0]).toBe(sum)
  await cluster.expectNothingLeft()
})

/** Puts client.py where a job would find it. */
async function copyClient(cluster: Cluster): Promise<void> {
  await copyFile(join(examples, 'client.py'), cluster.path('client.py'))
  cluster.expectFile('client.py')
}

/** Compiles an example, as its user would, beside an installed dask-hpc-runner; gives the program's path. */
async function compile(cluster: Cluster, name: string): Promise<string> {
  const directory = join(cluster.directory, 'example')
  const outfile = join(directory, `${name}.mjs`)
  await mkdir(join(directory, 'node_modules'), { recursive: true })
  await symlink(root, join(directory, 'node_modules/dask-hpc-runner'))
  await build({
    entryPoints: [join(examples, `${name}.ts`)],
    outfile,
    bundle: true,
    external: ['dask-hpc-runner'],
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    supported: { using: false },
    logLevel: 'silent',
  })
  return outfile
}

/** The fenced blocks of a Markdown text whose fence says `info`. */
function blocks(markdown: string, info: string): string[] {
  return [...markdown.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].flatMap(([, fence, text]) =>
    fence === info ? [text ?? ''] : [],
  )
}
