import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkWorkerCommand, lookAtWorkerCommand } from '../../../src/commands/doctor/worker-command.ts'
import { temporaryDirectory } from '../../process/support/processes.ts'

test('a worker command whose program is not there, or not executable, is a problem', async () => {
  const folder = temporaryDirectory()
  for (const name of ['runs', 'text']) writeFileSync(join(folder, name), '#!/bin/sh\n')
  chmodSync(join(folder, 'runs'), 0o755)
  const look = async (text: string): Promise<unknown> =>
    checkWorkerCommand(await lookAtWorkerCommand(text, { PATH: folder }))
  expect(await look('runs {scheduler_address}')).toEqual([
    { level: 'ok', subject: 'worker command', finding: `"runs" is ${folder}/runs` },
  ])
  expect(await look("'dask cuda' worker")).toMatchObject([{ level: 'problem', finding: '"dask cuda" is not on PATH' }])
  expect(await look(`${folder}/text --name {name}`)).toMatchObject([
    { level: 'problem', finding: `"${folder}/text" is not there or not executable` },
  ])
})
