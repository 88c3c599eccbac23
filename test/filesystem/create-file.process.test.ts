import type * as fs from 'node:fs/promises'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import { createFile } from '../../src/filesystem/create-file.ts'
import { temporaryDirectory } from '../rendezvous/file/support/directory.ts'

/** What a filesystem does when a link is made; it then says that something is there already. */
let before: (temporary: string, path: string) => Promise<void>
vi.mock(import('node:fs/promises'), async (original) => ({
  ...(await original()),
  link: async (temporary, path) => {
    await before(String(temporary), String(path))
    throw Object.assign(new Error('EEXIST'), { code: 'EEXIST' })
  },
}))

const { link } = await vi.importActual<typeof fs>('node:fs/promises')
let path = ''
beforeEach(() => {
  path = join(temporaryDirectory(), 'F.json')
})

test('a link that was made, and is refused when it is asked for again, as by NFS, counts', async () => {
  before = link
  expect(await createFile(path, 'ours')).toBe('created')
  expect(await readFile(path, 'utf8')).toBe('ours')
})

test("a path with somebody else's file is taken, also where he gives the temporary file a second name", async () => {
  before = async (temporary) => {
    await writeFile(path, 'his')
    await link(temporary, `${path}.his`)
  }
  expect(await createFile(path, 'ours')).toBe('taken')
  expect(await readFile(path, 'utf8')).toBe('his')
  expect((await readdir(join(path, '..'))).toSorted()).toEqual(['F.json', 'F.json.his'])
})

test('a path whose file is removed at this very moment, by a run that ends, was taken', async () => {
  before = async () => await Promise.resolve()
  expect(await createFile(path, 'ours')).toBe('taken')
  expect(await readdir(join(path, '..'))).toEqual([])
})
