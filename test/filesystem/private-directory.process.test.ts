import { execFile } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { PrivateDirectory } from '../../src/filesystem/private-directory.ts'
import { explainSticky } from '../../src/filesystem/sticky.ts'
import { temporaryDirectory } from '../rendezvous/file/support/directory.ts'
import { canHang } from '../support/hanging-mount.ts'
import { makeShared, shellAs, stranger, test as testOfTwo } from '../support/second-user.ts'

const run = promisify(execFile)

test('its names and files are made without following a link, and without emptying what is there', async () => {
  const parent = temporaryDirectory()
  const directory = new PrivateDirectory(join(parent, 'own'))
  expect(await directory.make()).toBe(true)
  await writeFile(join(parent, 'precious'), 'precious')
  for (const name of ['here', 'record']) await symlink(join(parent, 'precious'), join(directory.path, name))
  await directory.leaveName('here')
  await expect(directory.read('record')).rejects.toThrow('it is a symbolic link')
  await directory.put('record', 'new')
  expect(await directory.read('record')).toBe('new')
  expect(await readFile(join(parent, 'precious'), 'utf8')).toBe('precious')
  expect(await readdir(directory.path)).toEqual(['here', 'record'])
})

test('one that others may use is not used, and one without a directory above is not made', async () => {
  const path = join(temporaryDirectory(), 'own')
  await mkdir(path)
  await chmod(path, 0o770)
  await expect(new PrivateDirectory(path).make()).rejects.toThrow(
    'its mode is 0770 and not 0700, so that others can use it',
  )
  expect(await new PrivateDirectory(join(path, 'none', 'own')).make()).toBe(false)
})

test('one that another process of this user has made, and makes private in a moment, is waited for', async () => {
  const path = join(temporaryDirectory(), 'own')
  const directory = new PrivateDirectory(path)
  await mkdir(path)
  await chmod(path, 0o750)
  const made = directory.make()
  await chmod(path, 0o700)
  expect(await made).toBe(true)
  expect((await stat(path)).mode & 0o777).toBe(0o700)
})

testOfTwo('where a sticky directory keeps a file from being replaced or removed, it is said whose it is', async () => {
  const parent = temporaryDirectory()
  await chmod(parent, 0o755)
  const file = join(await makeShared(parent, 'shared', 'sticky'), 'file')
  await shellAs(stranger, 'echo his >"$1"', file)
  const denied = Object.assign(new Error('EPERM: operation not permitted, unlink'), { code: 'EPERM' })
  const who = `the user with number ${stranger.uid}`
  expect(await explainSticky(file, denied)).toMatchObject({
    message: `the file there belongs to ${who}, and its directory is sticky, so that only ${who} and root can replace or remove it (EPERM)`,
    cause: denied,
  })
  await chmod(join(parent, 'shared'), 0o777)
  expect(await explainSticky(file, denied)).toBe(denied)
})

test.skipIf(!canHang)(
  'permissions that are inherited from the directory above are taken away, or it is refused',
  async () => {
    const parent = temporaryDirectory()
    for (const keepsModes of [true, false]) {
      await using mount = await mountInheriting(parent, keepsModes)
      const directory = new PrivateDirectory(join(mount.path, 'own'))
      if (keepsModes) {
        expect(await directory.make()).toBe(true)
        await directory.put('record', 'new')
        expect((await stat(directory.path)).mode & 0o777).toBe(0o700)
        expect((await stat(join(directory.path, 'record'))).mode & 0o777).toBe(0o600)
      } else {
        await expect(directory.make()).rejects.toThrow('its mode is 0777 and not 0700')
        expect(await readdir(mount.path)).toEqual([])
      }
    }
  },
)

/** A filesystem that gives everybody all permissions to what is made, and which may know no others. */
async function mountInheriting(parent: string, keepsModes: boolean): Promise<AsyncDisposable & { path: string }> {
  const [source, path] = ['source', 'mounted'].map((name) => join(parent, `${name}-${keepsModes}`)) as [string, string]
  for (const each of [source, path]) await mkdir(each)
  const flags = ['--create-with-perms=a+rwX', ...(keepsModes ? [] : ['--chmod-ignore'])]
  await run('bindfs', [...flags, source, path])
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await run('umount', ['--lazy', path])
    },
  }
}
