import { watch } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { FileStore } from '../../../src/rendezvous/file/file-store.ts'
import { patient } from '../../support/until.ts'
import { temporaryDirectory } from './support/directory.ts'
import { fileOf, ownerOf, storeOf } from './support/run.ts'

const file = fileOf(ownerOf('k'))
const record = file.dask_hpc_runner

/** Every name that there has been in a directory since then, as the kernel tells. */
function namesIn(directory: string): ReadonlySet<string> {
  const names = new Set<string>()
  const watcher = watch(directory, (_, name) => names.add(name ?? ''))
  onTestFinished(() => {
    watcher.close()
  })
  return names
}

/** What a healthy run of `size` processes, each on its own node, has made. */
async function madeBy(size: number): Promise<string[]> {
  const path = join(temporaryDirectory(), 's.json')
  const beside = namesIn(dirname(path))
  const stores = Array.from({ length: size }, (_, rank) =>
    storeOf(path, 'k', { size, nodes: size, me: { rank, node: `node${rank}` }, relay: 'alone on its host' }),
  )
  const [zero, ...others] = stores as [FileStore, ...FileStore[]]
  await Promise.all(others.map(async (store) => store.prepare()))
  const within = namesIn(zero.paths.runDirectory)
  await zero.prepare()
  const found = others.map(async (store) => store.lookUp({ timeout: patient }))
  await zero.announce(record, { publishes: true })
  await zero.publish(file)
  for (const each of await Promise.all(found)) expect(each).toEqual({ kind: 'coordinator', record })
  await zero.withdraw()
  // What the kernel tells comes in order.
  await mkdir(join(dirname(path), 'last'))
  await expect.poll(() => beside.has('last'), { timeout: patient }).toBe(true)
  expect(await readdir(dirname(path))).toEqual(['last'])
  const plain = (name: string): string => (name.endsWith('.tmp') ? name.replace(/(\.json)\..*/, '$1, temporary') : name)
  // The last that the kernel tells of a directory is its own end.
  const made = [...beside, ...within].filter((name) => name !== 'last')
  return [...new Set(made.map(plain))]
}

test.each([4, 16, 64])('a healthy run of %i processes makes three files, whatever their number', async (size) => {
  expect((await madeBy(size)).toSorted()).toEqual([
    '.coordinator.json, temporary',
    '.s.json, temporary',
    '.s.json.run-k',
    'coordinator.json',
    's.json',
  ])
})
