import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { defaults } from '../../src/defaults.ts'
import { formatSchedulerFile } from '../../src/record/parse.ts'
import { temporaryName } from '../../src/filesystem/temporary-name.ts'
import { temporaryDirectory } from './support/directory.ts'
import { failureOf, fileOf, ownerOf, storeOf } from './support/run.ts'

const old = ownerOf('old')
const record = { 'record.json': formatSchedulerFile(fileOf(old)) }
const outcome = { 'outcome.json': JSON.stringify(failureOf('old')) }
const maker = { host: 'node0', pid: 1, random: '0123456789ab' }

async function leave(path: string, files: Record<string, string>, age = 0): Promise<void> {
  const directory = join(dirname(path), '.s.json.run-old')
  await mkdir(directory, { mode: 0o700 })
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  const then = new Date(Date.now() - age)
  await utimes(directory, then, then)
}

async function claim(path: string, answer: 'alive' | 'gone' | 'unreachable'): Promise<string[]> {
  const store = storeOf(path, 'new', { ask: () => Promise.resolve(answer) })
  await store.join()
  await store.claim(ownerOf('new'))
  await store.withdraw()
  return (await readdir(dirname(path))).toSorted()
}

const longAgo = 2 * defaults.rendezvousTimeout + 60_000

test.each<[string, Record<string, string>, number]>([
  ['a directory with the record of a run that is gone', record, 0],
  ['an empty directory of long ago', {}, longAgo],
  ['an outcome of long ago', outcome, longAgo],
  ['a note of long ago', { 'failed-73-no-space': '' }, longAgo],
])('%s is cleared', async (_, files, age) => {
  const path = join(temporaryDirectory(), 's.json')
  await leave(path, files, age)
  expect(await claim(path, 'gone')).toEqual([])
})

test.each<[string, Record<string, string>, 'alive' | 'gone' | 'unreachable']>([
  ['the record of a run that lives', record, 'alive'],
  ['the record of a run that cannot be reached', record, 'unreachable'],
  ['an empty directory of just now', {}, 'gone'],
  ['an outcome of just now, which may still be looked for', outcome, 'gone'],
  ['a record that names another run', { 'record.json': formatSchedulerFile(fileOf(ownerOf('x'))) }, 'gone'],
  ['a record that cannot be read', { 'record.json': 'x' }, 'gone'],
  ['a file that is not ours', { notes: 'x' }, 'gone'],
])('%s stays', async (_, files, answer) => {
  const path = join(temporaryDirectory(), 's.json')
  await leave(path, files)
  expect(await claim(path, answer)).toEqual(['.s.json.run-old'])
  expect((await readdir(join(dirname(path), '.s.json.run-old'))).toSorted()).toEqual(Object.keys(files))
})

test('of a directory with a file that is not ours everything else is cleared', async () => {
  const path = join(temporaryDirectory(), 's.json')
  await leave(path, { ...record, notes: 'x' })
  expect(await claim(path, 'gone')).toEqual(['.s.json.run-old'])
  expect(await readdir(join(dirname(path), '.s.json.run-old'))).toEqual(['notes'])
})

test('temporary files of this path are cleared, and nothing else', async () => {
  const path = join(temporaryDirectory(), 's.json')
  const ours = [temporaryName('s.json', maker), temporaryName('.s.json.owner', maker)]
  const others = [temporaryName('s', maker), temporaryName('t.json', maker), '.s.json.tmp', 's.json.bak']
  for (const name of [...ours, ...others]) await writeFile(join(dirname(path), name), '')
  expect(await claim(path, 'gone')).toEqual(others.toSorted())
})
