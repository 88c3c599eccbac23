import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { SchedulerFile } from '../../../src/record/scheduler-file.ts'
import { findExistingCluster } from '../../../src/rendezvous/file/existing.ts'
import { temporaryDirectory } from './support/directory.ts'
import { fileOf, ownerOf } from './support/run.ts'

/** How often the file cannot be read that is there. */
const filesystem = vi.hoisted(() => ({ failures: 0 }))

vi.mock(import('../../../src/filesystem/read-named.ts'), async (original) => {
  const real = await original()
  const stale = Object.assign(new Error('stale'), { code: 'ESTALE', errno: -116 })
  const readNamed = async (path: string): Promise<string> =>
    filesystem.failures-- > 0 ? await Promise.reject(stale) : await real.readNamed(path)
  return { ...real, readNamed }
})

async function find(path: string): Promise<SchedulerFile> {
  const { signal } = new AbortController()
  const verifyScheduler = async () => await Promise.resolve('answers' as const)
  return await findExistingCluster(path, { timeout: 30_000, filesystemTimeout: 30_000, signal, verifyScheduler })
}

test('a scheduler file that cannot be read is no defect of this program, and its error says in words why', async () => {
  const path = join(temporaryDirectory(), 'F.json')
  await symlink(path, path)
  await expect(find(path)).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: `Cannot join the cluster of "${path}": its path has too many symbolic links (ELOOP)`,
  })
})

test('one that is replaced while it is read is read again', async () => {
  const path = join(temporaryDirectory(), 'F.json')
  const file = fileOf(ownerOf('k'))
  await writeFile(path, JSON.stringify(file))
  filesystem.failures = 2
  expect(await find(path)).toEqual(file)
})
