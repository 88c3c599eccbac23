import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from '../support/cluster.ts'
import { clientFile, type Snippet, snippetsOf } from '../support/snippets.ts'

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

beforeAll(async () => {
  cluster = await Cluster.make()
  project = cluster.path('project')
  cluster.expectFile('project')
  await run('npm', ['run', '--silent', 'build:types'], root)
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', cluster.directory], root)
  const tarball = (await readdir(cluster.directory)).find((name) => name.endsWith('.tgz')) ?? ''
  await mkdir(join(project, 'src'), { recursive: true })
  await run('npm', ['init', '-y'])
  await run('npm', ['pkg', 'set', 'type=module'])
  const quietly = ['--offline', '--no-audit', '--no-fund', '--omit=optional']
  await run('npm', ['install', ...quietly, join(cluster.directory, tarball)])
  for (const name of ['@types/node', 'vitest']) {
    await mkdir(dirname(join(project, 'node_modules', name)), { recursive: true })
    await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name))
  }
  await cp(join(root, 'test/types/usage.ts'), join(project, 'src/usage.ts'))
  snippets = await snippetsOf(root)
  for (const { file, text } of [clientFile, ...snippets]) await writeFile(join(project, 'src', file), text)
}, 120_000)

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
  const programs = snippets.filter(({ kind }) => kind === 'program')
  expect(programs.length).toBeGreaterThan(8)
  const lines = programs.map(({ file, place }) => {
    const name = JSON.stringify(`./out/nodenext/${file.replace(/ts$/, 'js')}`)
    return `console.log('-- ${place}')\nawait import(${name})`
  })
  const end = "const { client } = await import('./out/nodenext/client.js')\nawait client.close()"
  await writeFile(join(project, 'all.mjs'), [...lines, end].join('\n'))
  const args = ['local', '-n', '2', '--layout', 'shared', '--wait-workers', 'all', '--', 'node', 'all.mjs']
  const ran = cluster.run(args, {}, project)
  await ran.expectStatus(0)
  const wanted = programs.flatMap(({ place, prints }) => [`-- ${place}`, ...prints])
  expect(ran.stdout.trim().split('\n')).toEqual(wanted)
})

test('a minified bundle of CommonJS runs a cluster, and itself once', async () => {
  const program = `
    import { Client, LocalRunner } from 'dask-hpc-runner'
    async function main() {
      console.log('begun')
      const runner = await LocalRunner.start({ ntasks: 2, layout: 'shared' })
      const client = await Client.connect(runner)
      console.log(await client.gather(client.map((x) => x + 1, [1, 2])))
      await client.close()
      await runner.close()
    }
    void main()`
  await writeFile(join(project, 'app.ts'), program)
  const outfile = join(project, 'app.cjs')
  const forms = { platform: 'node', format: 'cjs', minify: true, keepNames: true } as const
  await build({ entryPoints: [join(project, 'app.ts')], bundle: true, outfile, ...forms })
  const ran = cluster.start(['node', outfile], {}, project)
  await ran.expectStatus(0)
  expect(ran.stdout).toBe('begun\n[ 2, 3 ]\n')
})

test("a user's own vitest starts a LocalRunner", async () => {
  const [{ file } = { file: '' }] = snippets.filter(({ kind }) => kind === 'test')
  await writeFile(join(project, 'vitest.config.js'), 'export default { test: { include: ["src/**/*.test.ts"] } }')
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const ran = cluster.start([process.execPath, vitest, 'run', '--root', project], { CI: 'true' }, project)
  await ran.expectStatus(0)
  expect(ran.stdout).toContain(file)
  await cluster.expectNothingLeft()
})
