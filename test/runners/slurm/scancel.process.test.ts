import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { scancel } from '../../../src/runners/slurm/scancel.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dask-hpc-runner-test-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true })
})

async function ask(script: string, otherHostAnswers: () => Promise<boolean>): Promise<string | undefined> {
  const program = join(directory, 'scancel')
  await writeFile(program, `#!/bin/sh\n${script}\n`)
  await chmod(program, 0o700)
  return await scancel(['7.0'], { env: { PATH: `${directory}:/usr/bin:/bin` }, otherHostAnswers })
}

const yes = async (): Promise<boolean> => await Promise.resolve(true)
const no = async (): Promise<boolean> => await Promise.resolve(false)
const never = async (): Promise<boolean> => await new Promise(() => undefined)

test('a busy controller is waited for, where another host answers', async () => {
  expect(await ask('sleep 4', yes)).toBeUndefined()
})

test.for([
  ['does not', no],
  ['has not yet', never],
] as const)('a host that is cut off does not wait as long, where another host %s', async ([, others]) => {
  expect(await ask('exec sleep 100', others)).toBe(
    'scancel: did not answer within 3 s, nor does another host: this one seems to be cut off',
  )
})

test('its last line says why it failed', async () => {
  expect(await ask('echo first >&2; echo scancel: error: Invalid job id 7 >&2; exit 1', yes)).toBe(
    'scancel: error: Invalid job id 7',
  )
})

test('what it sends to its own step is no failure', async () => {
  expect(await ask('kill -TERM $$', yes)).toBeUndefined()
})
