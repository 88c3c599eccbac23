import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { defaults } from '../../../src/defaults.ts'
import { temporaryName } from '../../../src/filesystem/temporary-name.ts'
import { temporaryDirectory } from './support/directory.ts'
import { failureOf, fileOf, ownerOf, storeOf } from './support/run.ts'

const old = ownerOf('old')
const record = { 'coordinator.json': JSON.stringify(fileOf(old).dask_hpc_runner) }
const outcome = { 'outcome.json': JSON.stringify(failureOf('old')) }
const maker = { host: 'node0', pid: 1, random: '0123456789ab' }

async function leave(path: string, files: Record<string, string>, age = 0): Promise<void> {
  const directory = join(dirname(path), '.s.json.run-old')
  await mkdir(directory, { mode: 0o700 })
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  const then = new Date(Date.now() - age)
  await utimes(directory, then, then)
}

async function start(path: string, answer: 'alive' | 'gone' | 'unreachable'): Promise<string[]> {
  const store = storeOf(path, 'new', { ask: () => Promise.resolve(answer) })
  await store.prepare()
  await store.announce(fileOf(ownerOf('new')).dask_hpc_runner, { publishes: true })
  await store.withdraw()
  return (await readdir(dirname(path))).toSorted()
}

const longAgo = 2 * defaults.rendezvousTimeout + 60_000

test.each<[string, Record<string, string>, number]>([
  ['a directory with the record of a run that is gone', record, 0],
  ['an empty directory of long ago', {}, longAgo],
  ['an outcome of long ago', outcome, longAgo],
  ['what ranks left that ended early, long ago', { 'exited-0.json': '', 'exited-3.json': '' }, longAgo],
])('%s is cleared', async (_, files, age) => {
  const path = join(temporaryDirectory(), 's.json')
  await leave(path, files, age)
  expect(await start(path, 'gone')).toEqual([])
})

test.each<[string, Record<string, string>, 'alive' | 'gone' | 'unreachable']>([
  ['the record of a run that lives', record, 'alive'],
  ['the record of a run that cannot be reached', record, 'unreachable'],
  ['an empty directory of just now', {}, 'gone'],
  ['an outcome of just now, which may still be looked for', outcome, 'gone'],
  [
    'a record that names another run',
    { 'coordinator.json': JSON.stringify(fileOf(ownerOf('x')).dask_hpc_runner) },
    'gone',
  ],
  ['a record that cannot be read', { 'coordinator.json': 'x' }, 'gone'],
  ['a file that is not ours', { notes: 'x' }, 'gone'],
])('%s stays', async (_, files, answer) => {
  const path = join(temporaryDirectory(), 's.json')
  await leave(path, files)
  expect(await start(path, answer)).toEqual(['.s.json.run-old'])
  expect((await readdir(join(dirname(path), '.s.json.run-old'))).toSorted()).toEqual(Object.keys(files))
})

test('of a directory with a file that is not ours everything else is cleared', async () => {
  const path = join(temporaryDirectory(), 's.json')
  await leave(path, { ...record, notes: 'x' })
  expect(await start(path, 'gone')).toEqual(['.s.json.run-old'])
  expect(await readdir(join(dirname(path), '.s.json.run-old'))).toEqual(['notes'])
})

test('temporary files of this path are cleared once they are old, and nothing else', async () => {
  const path = join(temporaryDirectory(), 's.json')
  const young = temporaryName('s.json', { ...maker, pid: 2 })
  const others = [young, temporaryName('s', maker), temporaryName('t.json', maker), '.s.json.tmp', 's.json.bak']
  const old = new Date(Date.now() - longAgo)
  for (const name of [temporaryName('s.json', maker), ...others]) {
    await writeFile(join(dirname(path), name), '')
    if (name !== young) await utimes(join(dirname(path), name), old, old)
  }
  expect(await start(path, 'gone')).toEqual(others.toSorted())
})

test('of names without end, which anybody can make in a shared directory, a bounded number is looked at', async () => {
  const path = join(temporaryDirectory(), 's.json')
  const old = new Date(Date.now() - longAgo)
  for (let pid = 1; pid <= 300; pid++) {
    const left = join(dirname(path), temporaryName('s.json', { ...maker, pid }))
    await writeFile(left, '')
    await utimes(left, old, old)
  }
  expect(await start(path, 'gone')).toHaveLength(300 - 256)
})
