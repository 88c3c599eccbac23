import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../process/support/processes.ts'
import { program } from '../support/cluster.ts'

const run = promisify(execFile)

/** Writes for each script to standard error whether V8 has taken its cache. */
const witness = `
const vm = require('node:vm')
vm.Script = class extends vm.Script {
  constructor(...all) {
    super(...all)
    if (this.cachedDataRejected !== undefined) console.error(this.cachedDataRejected ? 'refused' : 'taken')
  }
}`

class Copy {
  readonly #directory = temporaryDirectory()
  readonly file = join(this.#directory, 'cli.cjs')
  readonly #witness = join(this.#directory, 'witness.cjs')

  /** The program in a directory of its own, without its caches. */
  static async make(): Promise<Copy> {
    const copy = new Copy()
    await copyFile(program, copy.file)
    await writeFile(copy.#witness, witness)
    return copy
  }

  async compile(): Promise<string> {
    return (await run(process.execPath, [this.file, 'code-cache'])).stdout
  }

  async caches(): Promise<string[]> {
    const names = (await readdir(this.#directory)).filter((name) => name.startsWith('cli.cjs.'))
    return names.map((name) => join(this.#directory, name))
  }

  /** What `plan` says, and what became of each cache. */
  async plan(options: readonly string[] = []): Promise<{ plan: string; caches: string[] }> {
    const command = ['plan', '-n', '3', '--nthreads', '1', '--memory-limit', '1GB']
    const args = ['--require', this.#witness, ...options, this.file, ...command]
    const { stdout, stderr } = await run(process.execPath, args)
    return { plan: stdout, caches: stderr.split('\n').filter((line) => line !== '') }
  }
}

test('a copied program works without a cache, makes one, and works with it', async () => {
  const copy = await Copy.make()
  const before = await copy.plan()
  expect(before.caches).toEqual([])
  const said = await copy.compile()
  const caches = await copy.caches()
  expect(caches).toHaveLength(3)
  for (const path of caches) {
    expect(path).toContain(`cli.cjs.${process.version}.${process.arch}.`)
    expect(said).toContain(path)
  }
  expect(await copy.plan()).toEqual({ plan: before.plan, caches: ['taken', 'taken', 'taken'] })
  // Again, over those that are there.
  await copy.compile()
  expect(await copy.plan()).toEqual({ plan: before.plan, caches: ['taken', 'taken', 'taken'] })
  const { plan, caches: refused } = await copy.plan(['--max-old-space-size=1000'])
  expect({ plan, refused }).toEqual({ plan: before.plan, refused: ['refused', 'refused', 'refused'] })
})

const headerLength = 48

test.for([
  ['of another build', [], (cache: Buffer) => Buffer.concat([Buffer.from('x'), cache.subarray(1)])],
  [
    'that V8 refuses',
    ['refused', 'refused', 'refused'],
    (cache: Buffer) => Buffer.concat([cache.subarray(0, headerLength), Buffer.alloc(1000)]),
  ],
  ['that is cut short', ['refused', 'refused', 'refused'], (cache: Buffer) => cache.subarray(0, 20_000)],
  ['that is cut very short', [], (cache: Buffer) => cache.subarray(0, 10)],
  ['that is empty', [], () => Buffer.alloc(0)],
] as const)('a cache %s is not used', async ([, caches, damage]) => {
  const copy = await Copy.make()
  const { plan } = await copy.plan()
  await copy.compile()
  for (const path of await copy.caches()) await writeFile(path, damage(await readFile(path)))
  expect(await copy.plan()).toEqual({ plan, caches })
})

test('a cache that others may have written is not used', async () => {
  const copy = await Copy.make()
  const { plan } = await copy.plan()
  await copy.compile()
  for (const path of await copy.caches()) await chmod(path, 0o664)
  expect(await copy.plan()).toEqual({ plan, caches: [] })
})

test('a named pipe in the place of a cache holds nobody up', async () => {
  const copy = await Copy.make()
  const { plan } = await copy.plan()
  await copy.compile()
  for (const path of await copy.caches()) {
    await rm(path)
    await run('mkfifo', ['-m', '600', path])
  }
  expect(await copy.plan()).toEqual({ plan, caches: [] })
})

test('where it cannot be written, that is told, and nothing is left', async () => {
  const copy = await Copy.make()
  await mkdir(`${copy.file}.${process.version}.${process.arch}.0.cache`)
  await expect(copy.compile()).rejects.toMatchObject({
    code: 70,
    stderr: expect.stringMatching(
      /^dask-hpc-runner: error: Cannot write the code cache: .*cli\.cjs.*; run this as /,
    ) as string,
  })
  expect(await copy.caches()).toHaveLength(1)
})
