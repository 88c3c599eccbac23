import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { publishFile } from '../../../src/rendezvous/file/publish.ts'
import { user, withRightsOf } from '../../support/second-user.ts'
import { makeReadOnly, mounted, temporaryDirectory } from './support/directory.ts'

test('publishes a file that only its user reads, and leaves nothing else', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 's.json')
  await publishFile(path, 'one')
  await publishFile(path, 'two')
  expect(await readFile(path, 'utf8')).toBe('two')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(directory)).toEqual(['s.json'])
})

test('publishes nothing when the disk is full, and says so', async (context) => {
  const directory = await mounted(context, 'size=64k')
  await writeFile(join(directory, 'data'), Buffer.alloc(64 * 1024)).catch(() => undefined)
  const path = join(directory, 's.json')
  await expect(publishFile(path, 'x'.repeat(5000))).rejects.toMatchObject({
    code: 'ERR_CANNOT_PUBLISH',
    message: `Cannot publish "${path}": no space is left on the filesystem (ENOSPC)`,
    cause: { code: 'ENOSPC' },
  })
  expect(await readdir(directory)).toEqual(['data'])
})

test('says that the filesystem is read-only', async (context) => {
  const directory = await mounted(context, 'size=64k')
  makeReadOnly(directory)
  await expect(publishFile(join(directory, 's.json'), 'x')).rejects.toThrow('the filesystem is read-only (EROFS)')
})

test('says that a directory is in the place of the file, and leaves it', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 's.json')
  await mkdir(path)
  await expect(publishFile(path, 'x')).rejects.toThrow(`Cannot publish "${path}": a directory is in its place (EISDIR)`)
  expect(await readdir(directory)).toEqual(['s.json'])
})

test('says that the directory is missing', async () => {
  const path = join(temporaryDirectory(), 'none', 's.json')
  await expect(publishFile(path, 'x')).rejects.toThrow('its directory does not exist (ENOENT)')
})

test('says that it has no permission', async () => {
  const directory = temporaryDirectory()
  await chmod(directory, 0o500)
  await withRightsOf(user, directory, async () => {
    await expect(publishFile(join(directory, 's.json'), 'x')).rejects.toThrow('permission denied (EACCES)')
  })
  expect(await readdir(directory)).toEqual([])
})
