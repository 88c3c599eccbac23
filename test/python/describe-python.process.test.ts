import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describePython } from '../../src/python/describe-python.ts'
import { temporaryDirectory } from '../process/support/processes.ts'

const python = process.env.DASK_HPC_RUNNER_TEST_PYTHON

test.skipIf(python === undefined)(
  'files of Dask are read as Dask does, and a named pipe among them is named only',
  async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'a.yaml'), 'distributed: { scheduler: { idle-timeout: 5s } }\n')
    execFileSync('mkfifo', [join(directory, 'b.yaml')])
    mkdirSync(join(directory, 'c.yaml'))
    // Dask reads what is named itself whatever its name, and of a directory what has one of its extensions.
    const named = join(temporaryDirectory(), 'daskrc')
    for (const file of [named, join(directory, 'd.txt')])
      writeFileSync(file, 'distributed: { worker: { preload: x } }\n')
    const env = { PATH: process.env.PATH, HOME: '/nonexistent', DASK_ROOT_CONFIG: named, DASK_CONFIG: directory }
    const { configuration } = await describePython(python ?? '', { env, timeout: 60_000 })
    expect(configuration).toEqual([
      { path: named, settings: { 'distributed.worker.preload': 'x' } },
      { path: join(directory, 'a.yaml'), settings: { 'distributed.scheduler.idle-timeout': '5s' } },
      { path: join(directory, 'b.yaml'), error: 'it is no file', settings: {} },
    ])
  },
)
