import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { formatSchedulerFile } from '../../../src/record/parse.ts'
import type { FileStore, FileStoreOptions } from '../../../src/rendezvous/file/file-store.ts'
import { temporaryDirectory } from './support/directory.ts'
import { fileOf, ownerOf, storeOf } from './support/run.ts'

let refusal = 'EPERM'
vi.mock(import('node:fs/promises'), async (original) => ({
  ...(await original()),
  link: () => Promise.reject(Object.assign(new Error('no'), { code: refusal })),
}))

const file = fileOf(ownerOf('k'))

async function announced(path: string, runKey: string, changes: Partial<FileStoreOptions> = {}): Promise<FileStore> {
  const store = storeOf(path, runKey, changes)
  await store.prepare()
  await store.announce(fileOf(ownerOf(runKey)).dask_hpc_runner, { publishes: true })
  return store
}

test.each(['EPERM', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])(
  'where a filesystem has no hard links (%s) a run publishes under a lock, and a second run does not',
  async (code) => {
    refusal = code
    const path = join(temporaryDirectory(), 's.json')
    const locks: unknown[] = []
    const first = await announced(path, 'k', { onLock: (lock) => locks.push(lock !== undefined) })
    const second = await announced(path, 'x', { ask: () => Promise.resolve('alive') })
    await first.publish(file)
    expect(locks).toEqual([true, false, true, false])
    await expect(second.publish(fileOf(ownerOf('x')))).rejects.toThrow(
      'run k on host node0 (process id 4711) is using it',
    )
    expect(await readFile(path, 'utf8')).toBe(formatSchedulerFile(file))
    await second.withdraw()
    await first.withdraw()
    expect(await readdir(dirname(path))).toEqual([])
  },
)
