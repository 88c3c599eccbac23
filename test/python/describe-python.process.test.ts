import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describePython } from '../../src/python/describe-python.ts'
import { temporaryDirectory } from '../process/support/processes.ts'

const python = process.env.DASK_HPC_RUNNER_TEST_PYTHON

test.skipIf(python === undefined)('a named pipe among the files of Dask is named, and not read', async () => {
  const directory = temporaryDirectory()
  writeFileSync(join(directory, 'a.yaml'), 'distributed: { scheduler: { idle-timeout: 5s } }\n')
  execFileSync('mkfifo', [join(directory, 'b.yaml')])
  mkdirSync(join(directory, 'c.yaml'))
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', DASK_ROOT_CONFIG: '/nonexistent', DASK_CONFIG: directory }
  const { configuration } = await describePython(python ?? '', { env, timeout: 60_000 })
  expect(configuration).toEqual([
    { path: join(directory, 'a.yaml'), settings: { 'distributed.scheduler.idle-timeout': '5s' } },
    { path: join(directory, 'b.yaml'), error: 'it is no file', settings: {} },
  ])
})
