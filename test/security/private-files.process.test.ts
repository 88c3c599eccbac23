import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { secretsDirectory } from '../../src/security/private-files.ts'

test.skipIf(!existsSync('/dev/shm'))('secrets are kept in memory only where nobody else can rename them', async () => {
  const memory = await mkdtemp(join('/dev/shm', 'dask-hpc-runner-test-'))
  onTestFinished(async () => {
    await rm(memory, { recursive: true })
  })
  const kept: string[] = []
  for (const mode of [0o1777, 0o777, 0o703, 0o700]) {
    await chmod(memory, mode)
    kept.push(await secretsDirectory(memory))
  }
  expect(kept.map((place) => place === memory)).toEqual([true, false, false, true])
})
