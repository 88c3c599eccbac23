import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { bundleWithLibrary } from '../support/bundle.ts'
import { Cluster, program, programs } from '../support/cluster.ts'

const library = join(programs, '../../dist/index.js')

/** A user's program that counts how often it is run, in processes and in threads. */
const app = (runner: string): string => `
  import { appendFileSync } from 'node:fs'
  import { ${runner} } from 'dask-hpc-runner'
  appendFileSync(process.env.RUNS, 'x')
  ${runner}.start({ ntasks: 2, python: '/nowhere/python' }).catch((error) => {
    console.error(error.code + ' ' + error.message)
    process.exitCode = 9
  })`

const bundles = [
  ['LocalRunner', 'esm', false],
  ['LocalRunner', 'cjs', true],
  ['SLURMRunner', 'esm', true],
] as const

test.for(bundles)('a bundle with %s (%s, minified: %s) is refused in a sentence and run once', async (bundle) => {
  const [runner, format, minify] = bundle
  await using cluster = await Cluster.make()
  const file = await bundleWithLibrary(cluster.directory, app(runner), { format, minify })
  const runs = join(cluster.directory, 'runs')
  const run = cluster.start(['node', file], { RUNS: runs })
  await run.expectStatus(9)
  expect(run.stderr).toBe(
    `ERR_ENVIRONMENT Cannot start "${join(cluster.directory, 'cli.cjs')}": it is missing beside "${file}"; leave the package ` +
      'out of your bundle (esbuild --external:dask-hpc-runner), or copy its dist/cli.cjs beside the bundle\n',
  )
  expect(await readFile(runs, 'utf8')).toBe('x')
  await cluster.expectNothingLeft()
})

test('a bundle takes no program of another build, and no file that only has the name', async () => {
  await using cluster = await Cluster.make()
  const file = await bundleWithLibrary(cluster.directory, app('LocalRunner'), { format: 'esm', minify: false })
  const beside = join(cluster.directory, 'cli.cjs')
  const other = (await readFile(program, 'utf8')).replace(
    /^\/\/ (dask-hpc-runner) .*$/m,
    '// $1 0.0.1 0123456789abcdef',
  )
  for (const text of [other, "require('fs').appendFileSync(process.env.RUNS, 'y')", '']) {
    await writeFile(beside, text)
    const runs = join(cluster.directory, 'runs')
    await writeFile(runs, '')
    const run = cluster.start(['node', file], { RUNS: runs })
    await run.expectStatus(9)
    expect(run.stderr).toContain(`Cannot start "${beside}": it is not of the same build as "${file}"; leave`)
    expect(await readFile(runs, 'utf8')).toBe('x')
  }
  await cluster.expectNothingLeft()
})

test('a bundle of either form finds the program of the installed package', async () => {
  await using cluster = await Cluster.make()
  const installed = join(cluster.directory, 'node_modules/dask-hpc-runner')
  await mkdir(join(installed, 'dist'), { recursive: true })
  await writeFile(join(installed, 'package.json'), '{"name": "dask-hpc-runner"}')
  await copyFile(program, join(installed, 'dist/cli.cjs'))
  for (const format of ['esm', 'cjs'] as const) {
    const file = await bundleWithLibrary(cluster.directory, app('LocalRunner'), { format, minify: true })
    const runs = join(cluster.directory, 'runs')
    await writeFile(runs, '')
    const run = cluster.start(['node', file], { RUNS: runs })
    await run.expectStatus(9)
    expect(run.stderr).toContain(': 2 processes on ')
    expect(run.stderr).toContain('error: Cannot find a Python that has Dask: /nowhere/python')
    // The other process was none of the user's program.
    expect(await readFile(runs, 'utf8')).toBe('x')
  }
  await cluster.expectNothingLeft()
})

test('a program beside the library is not started where somebody else could have changed it', async () => {
  await using cluster = await Cluster.make()
  const directory = join(cluster.directory, 'app')
  await mkdir(directory)
  const file = await bundleWithLibrary(directory, app('LocalRunner'), { format: 'esm', minify: false })
  const beside = join(directory, 'cli.cjs')
  await copyFile(program, beside)
  const start = async (): Promise<string> => {
    const run = cluster.start(['node', file], { RUNS: join(cluster.directory, 'runs') })
    await run.expectStatus(9)
    return run.stderr
  }
  for (const [path, mode, usual] of [
    [beside, 0o666, 0o644],
    [directory, 0o777, 0o755],
  ] as const) {
    await chmod(path, mode)
    expect(await start()).toBe(
      `ERR_ENVIRONMENT Cannot start "${beside}": everybody may write "${path}" (mode ${mode.toString(8)}); ` +
        'install dask-hpc-runner where nobody else may write\n',
    )
    await chmod(path, usual)
  }
  // As in /tmp, where nobody can rename what is another's.
  await chmod(directory, 0o1777)
  expect(await start()).toContain('Cannot find a Python that has Dask: /nowhere/python')
  await cluster.expectNothingLeft()
})

test('a process of ours that finds the library in it ends at once, before the program that imports it', async () => {
  await using cluster = await Cluster.make()
  const file = join(cluster.directory, 'preload.mjs')
  await writeFile(file, `import ${JSON.stringify(pathToFileURL(library))}\nconsole.log('the program of the user')`)
  // What reads files for status and doctor is a Node process of ours; so are those of a local run, and of a task.
  const run = cluster.start(['node', file], { DASK_HPC_RUNNER_OWN_PROCESS: '1' })
  await run.expectStatus(78)
  expect(run.stdout).toBe('')
  expect(run.stderr).toMatch(/^\[dask-hpc-runner\] Cannot take part in the cluster: your program is loaded .*\n$/)
  await cluster.expectNothingLeft()
})

test('our own program does not take itself for one of a user, and does not hand that on', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['plan', '-n', '2'], { DASK_HPC_RUNNER_OWN_PROCESS: '1' })
  await run.expectStatus(0)
})

test('the library and the program are of one byte a character, which is what V8 then keeps of them', async () => {
  for (const file of [library, program]) expect((await readFile(file)).some((byte) => byte > 127)).toBe(false)
})

test('what the library exports has its own name, by which console.log and stacks call it', async () => {
  await using cluster = await Cluster.make()
  const file = join(cluster.directory, 'names.mjs')
  const text = `
    import * as library from ${JSON.stringify(pathToFileURL(library))}
    const named = Object.entries(library).filter(([, value]) => typeof value === 'function' && value.name !== 'written')
    console.log(named.filter(([name, value]) => value.name !== name).map(([name, value]) => name + ' ' + value.name), named.length > 10)`
  await writeFile(file, text)
  const run = cluster.start(['node', file])
  await run.expectStatus(0)
  expect(run.stdout).toBe('[] true\n')
})
