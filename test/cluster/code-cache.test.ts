import { execFile } from 'node:child_process'
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../process/support/processes.ts'
import { program } from '../support/cluster.ts'

const run = promisify(execFile)

/** A copy of the program in a directory of its own, without its caches. */
async function copy(): Promise<{ directory: string; file: string }> {
  const directory = temporaryDirectory()
  const file = join(directory, 'cli.cjs')
  await copyFile(program, file)
  return { directory, file }
}

const plan = async (file: string): Promise<string> =>
  (await run(process.execPath, [file, 'plan', '-n', '3', '--nthreads', '1', '--memory-limit', '1GB'])).stdout

test('a copied program works without a cache, makes one, and works with it', async () => {
  const { directory, file } = await copy()
  const before = await plan(file)
  const { stdout } = await run(process.execPath, [file, 'code-cache'])
  const caches = (await readdir(directory)).filter((name) => name !== 'cli.cjs')
  expect(caches).toHaveLength(3)
  for (const name of caches) {
    expect(name).toMatch(`cli.cjs.${process.version}.${process.arch}.`)
    expect(stdout).toContain(join(directory, name))
  }
  expect(await plan(file)).toBe(before)
})

test.for([
  ['of another build', (cache: Buffer) => Buffer.concat([Buffer.from('x'), cache.subarray(1)])],
  ['that V8 refuses', (cache: Buffer) => Buffer.concat([cache.subarray(0, 32), Buffer.alloc(1000)])],
  ['that is cut short', (cache: Buffer) => cache.subarray(0, 20_000)],
  ['that is empty', () => Buffer.alloc(0)],
] as const)('a cache %s is not used', async ([, damage]) => {
  const { directory, file } = await copy()
  const before = await plan(file)
  await run(process.execPath, [file, 'code-cache'])
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    if (name !== 'cli.cjs') await writeFile(path, damage(await readFile(path)))
  }
  expect(await plan(file)).toBe(before)
})

test('where it cannot be written, that is told, and nothing is left', async () => {
  const { directory, file } = await copy()
  await mkdir(join(directory, `cli.cjs.${process.version}.${process.arch}.0.cache`))
  await expect(run(process.execPath, [file, 'code-cache'])).rejects.toMatchObject({
    code: 70,
    stderr: expect.stringMatching(/^dask-hpc-runner: error: Cannot write the code cache: .*cli\.cjs/) as string,
  })
  expect(await readdir(directory)).toHaveLength(2)
})
