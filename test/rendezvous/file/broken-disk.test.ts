import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { temporaryDirectory } from './support/directory.ts'
import { fileOf, ownerOf, storeOf } from './support/run.ts'

let runDirectoryIsBroken = false
vi.mock(import('node:fs/promises'), async (original) => {
  const real = await original()
  return {
    ...real,
    opendir: async (path, ...rest) => {
      // The run's own directory is listed by its handle.
      if (runDirectoryIsBroken && String(path).startsWith('/proc/self/fd/'))
        throw Object.assign(new Error('EIO: i/o error, opendir'), { code: 'EIO' })
      return await real.opendir(path, ...rest)
    },
  }
})

test('a disk that fails when rank 0 clears its directory is no defect of the program', async () => {
  const store = storeOf(join(temporaryDirectory(), 's.json'), 'k')
  await store.prepare()
  runDirectoryIsBroken = true
  await expect(store.announce(fileOf(ownerOf('k')).dask_hpc_runner, { publishes: true })).rejects.toMatchObject({
    code: 'ERR_CANNOT_PUBLISH',
    message: `Cannot publish "${store.paths.runDirectory}": the disk or its server reports an input/output error (EIO)`,
  })
})
