import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findExistingCluster } from '../../../src/rendezvous/file/existing.ts'
import { temporaryDirectory } from './support/directory.ts'

test('a scheduler file that cannot be read is no defect of this program, and its error says in words why', async () => {
  const path = join(temporaryDirectory(), 'F.json')
  await symlink(path, path)
  const { signal } = new AbortController()
  const options = { timeout: 5_000, filesystemTimeout: 5_000, signal }
  await expect(
    findExistingCluster(path, { ...options, verifyScheduler: async () => await Promise.resolve('answers') }),
  ).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: `Cannot join the cluster of "${path}": its path has too many symbolic links (ELOOP)`,
  })
})
