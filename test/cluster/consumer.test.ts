import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { build, type BuildOptions } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from '../support/cluster.ts'
import { clientFile, type Snippet, snippetsOf } from '../support/snippets.ts'
import { fourTasks, twoTasks } from '../support/step.ts'

const root = join(import.meta.dirname, '../..')
const modes = ['nodenext', 'node16', 'bundler'] as const

let cluster: Cluster
let project: string
let snippets: readonly Snippet[]

/** Runs a command in the user's project; its output is the message where it fails. */
async function run(command: string, args: readonly string[], cwd = project): Promise<string> {
  const env = { ...cluster.env, npm_config_update_notifier: 'false' }
  const ended = promisify(execFile)(command, args, { cwd, env })
  const failed = ended.catch((error: unknown) => {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`)
  })
  return (await failed).stdout
}

/** Compiles the snippets and the uses of the types, as strictly as can be, in one call. */
async function compile(typescript: string, mode: (typeof modes)[number], outDir: string): Promise<void> {
  const compilerOptions = {
    ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, rootDir: 'src', outDir },
    // No types: the package itself brings those of Node, which TypeScript takes from 6 on only where it is told to.
    ...{ target: 'es2022', lib: ['es2023', 'esnext.disposable'] },
    ...(mode === 'bundler' ? { module: 'esnext', moduleResolution: mode } : { module: mode }),
  }
  const config = `tsconfig.${outDir.replaceAll('/', '-')}.json`
  // What vitest needs of other packages is not ours to check.
  const exclude = mode === 'nodenext' ? [] : ['src/*.test.ts']
  await writeFile(join(project, config), JSON.stringify({ compilerOptions, include: ['src'], exclude }))
  await run(process.execPath, [join(root, 'node_modules', typescript, 'bin/tsc'), '-p', config])
}

/** The program that the compiler has made of a snippet. */
function compiled({ file }: Snippet): string {
  return join(project, 'out/nodenext', file.replace(/ts$/, 'js'))
}

beforeAll(async () => {
  cluster = await Cluster.make()
  project = cluster.path('project')
  cluster.expectFile('project')
  // What it has translated, tsx keeps.
  cluster.expectTemporary('tsx-*')
  // `npm test` has made them, with all that the tests run.
  if (process.env.DASK_HPC_RUNNER_TEST_BUILT !== 'passed') await run('npm', ['run', '--silent', 'build:types'], root)
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', cluster.directory], root)
  const tarball = (await readdir(cluster.directory)).find((name) => name.endsWith('.tgz')) ?? ''
  await mkdir(join(project, 'src'), { recursive: true })
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'project', version: '1.0.0', type: 'module' }))
  const quietly = ['--offline', '--no-audit', '--no-fund', '--omit=optional']
  await run('npm', ['install', ...quietly, join(cluster.directory, tarball)])
  for (const name of ['@types/node', 'vitest']) {
    await mkdir(dirname(join(project, 'node_modules', name)), { recursive: true })
    await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name))
  }
  await cp(join(root, 'test/types/usage.ts'), join(project, 'src/usage.ts'))
  snippets = await snippetsOf(root)
  for (const { file, text } of [clientFile, ...snippets]) await writeFile(join(project, 'src', file), text)
})

afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
})

test('the package brings no other package', async () => {
  expect((await readdir(join(project, 'node_modules'))).filter((name) => !/^(\.|@types$|vitest$)/.test(name))).toEqual([
    'dask-hpc-runner',
  ])
})

test('every snippet compiles with the newest TypeScript in each way to resolve modules, and to the same programs', async () => {
  for (const mode of modes) await compile('typescript-newest', mode, `out/${mode}`)
  for (const { file } of snippets.filter(({ kind }) => kind !== 'test')) {
    const name = file.replace(/ts$/, 'js')
    const [one, ...others] = await Promise.all(
      modes.map(async (mode) => readFile(join(project, 'out', mode, name), 'utf8')),
    )
    expect(others).toEqual([one, one])
  }
})

test('every snippet compiles with the oldest TypeScript that README names', async () => {
  const { version } = JSON.parse(await readFile(join(root, 'node_modules/typescript-oldest/package.json'), 'utf8')) as {
    version: string
  }
  expect(await readFile(join(root, 'README.md'), 'utf8')).toContain(
    `TypeScript ${version.replace(/\.\d+$/, '')} or newer`,
  )
  await compile('typescript-oldest', 'node16', 'out/oldest')
})

test('the snippets run on one cluster and print what they say', async () => {
  const noNumpy = process.env.DASK_HPC_RUNNER_TEST_NO_NUMPY !== undefined
  const programs = snippets.filter(({ kind }) => kind === 'program' || (kind === 'numpy' && !noNumpy))
  expect(programs.length).toBeGreaterThan(8)
  const lines = programs.map(
    (snippet) => `console.log('-- ${snippet.place}')\nawait import(${JSON.stringify(compiled(snippet))})`,
  )
  const end = "const { client } = await import('./out/nodenext/client.js')\nawait client.close()"
  await writeFile(join(project, 'all.mjs'), [...lines, end].join('\n'))
  const args = ['local', '-n', '2', '--layout', 'shared', '--wait-workers', 'all', '--', 'node', 'all.mjs']
  const ran = cluster.run(args, {}, project)
  await ran.expectStatus(0)
  const wanted = programs.flatMap(({ place, prints }) => [`-- ${place}`, ...prints])
  expect(ran.stdout.trim().split('\n')).toEqual(wanted)
})

test('the snippets that are a job run as the processes of one, and print what they say', async () => {
  const jobs = snippets.filter(({ kind }) => kind === 'job')
  // That of README names worker 2.
  const tasks = [fourTasks(), twoTasks('array-task0-proc1'), twoTasks('array-task1-proc1')]
  expect(jobs.map(({ place }) => place.replace(/:.*/, ''))).toEqual(['README.md', 'docs/client.md', 'docs/library.md'])
  const runs = jobs.map((job, i) => (tasks[i] ?? []).map((env) => cluster.start(['node', compiled(job)], env)))
  for (const run of runs.flat()) await run.expectStatus(0)
  const printed = runs.map((processes) => processes.map(({ stdout }) => stdout).join(''))
  expect(printed).toEqual([
    ...jobs.slice(0, 2).map(({ prints }) => `${prints.join('\n')}\n`),
    expect.stringMatching(/^2 workers at tcp:\S+\n$/),
  ])
})

/** The beginnings of one program: with TypeScript's types, and as CommonJS. */
const asModule = "import { Client, LocalRunner } from 'dask-hpc-runner'\nconst numbers: number[] = [1, 2]"
const asCommonJs = "const { Client, LocalRunner } = require('dask-hpc-runner')\nconst numbers = [1, 2]"
const program = `
async function main() {
  console.log('begun')
  const runner = await LocalRunner.start({ ntasks: 2, layout: 'shared' })
  const client = await Client.connect(runner)
  const results = client.map((x) => {
    const increment = () => x + 1
    return increment()
  }, numbers)
  console.log(await client.gather(results))
  await client.close()
  await runner.close()
}
void main()`

/** Writes a bundle with the library in it. */
async function bundle(directory: string, format: 'esm' | 'cjs', others: BuildOptions): Promise<readonly string[]> {
  const outfile = join(directory, format === 'esm' ? 'bundle.mjs' : 'bundle.cjs')
  const logOverride = { 'empty-import-meta': 'silent' } as const
  const entryPoints = [join(directory, 'app.ts')]
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format, logOverride, ...others })
  return [outfile]
}

/** How people run it: each makes what it needs in a directory that has the program as app.ts, and gives the arguments of Node. */
const ways: Readonly<Record<string, (directory: string) => Promise<readonly string[]>>> = {
  'a bundle of ESM that keeps names': async (directory) => await bundle(directory, 'esm', { keepNames: true }),
  'a minified bundle of ESM': async (directory) => await bundle(directory, 'esm', { minify: true }),
  'a minified bundle of CommonJS': async (directory) => await bundle(directory, 'cjs', { minify: true }),
  require: async (directory) => {
    await writeFile(join(directory, 'app.cjs'), asCommonJs + program)
    return ['app.cjs']
  },
  tsx: async () => await Promise.resolve([join(root, 'node_modules/tsx/dist/cli.mjs'), 'app.ts']),
  // Node 20 cannot.
  ...(Number(process.versions.node.split('.')[0]) >= 22 && {
    'Node that strips types': async () => await Promise.resolve(['--experimental-strip-types', 'app.ts']),
  }),
}

test('bundles, require, tsx and Node that strips types run a cluster, and the program once', async () => {
  const runs = Object.entries(ways).map(async ([way, prepare]) => {
    const name = way.replaceAll(' ', '-')
    const directory = join(project, name)
    await mkdir(directory)
    await writeFile(join(directory, 'app.ts'), asModule + program)
    const ran = cluster.start(['node', ...(await prepare(directory))], {}, directory)
    const { status } = await ran.ended
    return { way, status, printed: ran.stdout, said: status === 0 ? '' : ran.stderr.slice(-1000) }
  })
  const wanted = Object.keys(ways).map((way) => ({ way, status: 0, printed: 'begun\n[ 2, 3 ]\n', said: '' }))
  expect(await Promise.all(runs)).toEqual(wanted)
})

test("a user's own vitest starts a LocalRunner", async () => {
  const [{ file } = { file: '' }] = snippets.filter(({ kind }) => kind === 'test')
  await writeFile(
    join(project, 'vitest.config.js'),
    'export default { test: { include: ["src/**/*.test.ts"], testTimeout: 240_000 } }',
  )
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const ran = cluster.start([process.execPath, vitest, 'run', '--root', project], { CI: 'true' }, project)
  await ran.expectStatus(0)
  expect(ran.stdout).toContain(file)
  await cluster.expectNothingLeft()
})
