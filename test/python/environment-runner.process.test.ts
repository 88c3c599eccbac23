import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { pythonOfCommand } from '../../src/python/python-of-command.ts'
import { temporaryDirectory } from '../process/support/processes.ts'
import { canHang, HangingMount } from '../support/hanging-mount.ts'

const stands = resolve(import.meta.dirname, '../../fixtures/environments')

test.for([
  'uv run client.py',
  'uv run --with numpy client.py 3',
  'conda run -n x python client.py',
  'micromamba run -n x python3 client.py',
  'pixi run -- python client.py',
  'poetry run python client.py',
  'uv run --python python3.12 client.py',
  'uv run -p /opt/python3.12/bin/python3 --project my.py client.py',
  'conda run -n python3.12 python client.py',
])('the Python of "%s" is asked for', async (command) => {
  const environment = temporaryDirectory()
  mkdirSync(join(environment, 'bin'))
  const python = join(environment, 'bin/python')
  writeFileSync(python, '#!/bin/sh\necho a word of the environment\necho "$0"\n')
  chmodSync(python, 0o755)
  const env = { PATH: `${stands}:${process.env.PATH}`, FAKE_ENVIRONMENT: environment }
  expect(await pythonOfCommand(command.split(' ') as [string, ...string[]], env)).toBe(python)
})

test('one that is slow is waited for as long as a rendezvous may take', async () => {
  const environment = temporaryDirectory()
  mkdirSync(join(environment, 'bin'))
  const python = join(environment, 'bin/python')
  writeFileSync(python, '#!/bin/sh\nsleep 0.5\necho "$0"\n')
  chmodSync(python, 0o755)
  const env = { PATH: `${stands}:${process.env.PATH}`, FAKE_ENVIRONMENT: environment }
  expect(await pythonOfCommand(['uv', 'run', 'client.py'], env, { timeout: 100 })).toBeUndefined()
  expect(await pythonOfCommand(['uv', 'run', 'client.py'], env, { timeout: 60_000 })).toBe(python)
})

test.skipIf(!canHang)('one behind a directory of PATH that hangs is not asked, and that is said', async () => {
  const root = temporaryDirectory()
  await using mount = await HangingMount.of(join(root, 'source'), join(root, 'mounted'))
  mount.hang()
  const env = { PATH: `${join(root, 'mounted')}:${stands}:${process.env.PATH}` }
  const asking = pythonOfCommand(['uv', 'run', 'client.py'], env, { timeout: 300_000, filesystemTimeout: 300 })
  await expect(asking).rejects.toThrow(`Cannot look at "${join(root, 'mounted/uv')}": its filesystem has not answered`)
})

test('one that does not tell is no Python', async () => {
  const env = { PATH: `${stands}:${process.env.PATH}`, FAKE_ENVIRONMENT: '/nowhere' }
  expect(await pythonOfCommand(['uv', 'sync'], env)).toBeUndefined()
  expect(await pythonOfCommand(['uv', 'run', 'true'], env)).toBeUndefined()
})
