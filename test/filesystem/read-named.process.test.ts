import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import { otherOwner, readNamed, readOfAnybody } from '../../src/filesystem/read-named.ts'
import { formatUser } from '../../src/filesystem/untrusted.ts'
import { commonGroup, makeShared, shellAs, stranger, test } from '../support/second-user.ts'
import { temporaryDirectory } from '../process/support/processes.ts'

test('a named file is read through links of this user, and through none that somebody else has made', async () => {
  const root = temporaryDirectory()
  await chmod(root, 0o755)
  const shared = await makeShared(root, 'shared', 'sticky')
  const mine = join(root, 'mine')
  await mkdir(mine)
  await writeFile(join(mine, 'F.json'), 'mine')
  await symlink('mine', join(root, 'directory'))
  await symlink('../root/../mine/F.json', join(mine, 'up'))
  await symlink('mine', join(root, 'root'))
  await shellAs(stranger, 'ln -s -- "$1" "$2/directory"; ln -s -- "$1/F.json" "$2/file"', mine, shared)
  await symlink(join(shared, 'directory'), join(root, 'to-his'))
  await symlink(join(shared, 'file'), join(mine, 'to-his.json'))
  for (const good of ['mine/F.json', 'directory/F.json', 'directory/up', 'root/up'])
    expect(await readNamed(join(root, good)), good).toBe('mine')
  for (const his of [
    'shared/file',
    'shared/directory/F.json',
    'to-his/F.json',
    'mine/to-his.json',
    'directory/to-his.json',
  ]) {
    await expect(readNamed(join(root, his)), his).rejects.toThrow('whoever writes it can run code as you')
    const read = await readOfAnybody(join(root, his))
    expect(read.text).toBe('mine')
    expect(await otherOwner(read), his).toContain(String(stranger.uid))
  }
})

test('a named file that others may write is not used', async () => {
  const root = temporaryDirectory()
  const shared = await makeShared(root, 'shared', 'group')
  const path = join(shared, 'F.json')
  await writeFile(path, 'whose?')
  // In a group's directory it is of that group, which may rename there what is another's.
  for (const [mode, who] of [
    [0o664, `the group ${commonGroup} may write it (mode 0664)`],
    [0o606, 'everybody may write it (mode 0606)'],
  ] as const) {
    await chmod(path, mode)
    await expect(readNamed(path)).rejects.toThrow(`${who}, and whoever writes it can run code as you; if it says`)
    expect(await otherOwner(await readOfAnybody(path))).toBeUndefined()
  }
  await chmod(path, 0o644)
  expect(await readNamed(path)).toBe('whose?')
})

test('a path whose links go round is not followed for ever', async () => {
  const root = temporaryDirectory()
  await symlink('round', join(root, 'round'))
  await symlink('deeper/x', join(root, 'deeper'))
  for (const name of ['round', 'round/F.json', 'deeper'])
    await expect(readNamed(join(root, name)), name).rejects.toThrow('ELOOP')
})

test('who it is is asked of a program of the system: a directory of PATH may hang', async () => {
  const root = temporaryDirectory()
  await writeFile(join(root, 'id'), '#!/bin/sh\necho somebody-of-PATH\n', { mode: 0o755 })
  vi.stubEnv('PATH', `${root}:${process.env.PATH}`)
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  expect(await formatUser(0)).toBe('user root')
})
