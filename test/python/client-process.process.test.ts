import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { ClientProcess } from '../../src/python/client-process.ts'
import { startInPython } from '../../src/python/find-python.ts'
import { eventually, newReaper, temporaryDirectory } from '../process/support/processes.ts'

const fake = join(import.meta.dirname, '../../fixtures/programs/fake-distributed')

it("finds the client's Python by its helper alone, and passes nothing on from one that has no Dask", async () => {
  const root = temporaryDirectory()
  const log = join(root, 'started')
  /** A pretended interpreter: `run` starts the real one. */
  const make = async (name: string, run: string): Promise<string> => {
    await mkdir(join(root, name))
    const script = `#!/bin/sh\necho ${name} >>'${log}'\necho 'noise of ${name}'\nexec ${run} "$@"\n`
    writeFileSync(join(root, name, 'python3'), script, { mode: 0o755 })
    return join(root, name)
  }
  const without = await make('without', 'env -u PYTHONPATH python3 -S')
  const having = await make('having', 'python3')
  const [path, lines] = [process.env.PATH, [] as string[]]
  const env = { PATH: path, PYTHONPATH: fake, PYTHONDONTWRITEBYTECODE: '1' }
  const start = (python: string): ClientProcess => {
    const helper = new ClientProcess({
      ...{ python, env, reaper: newReaper(), lostAfter: 20_000, quiet: true },
      onLines: (more) => void lines.push(...more),
    })
    onTestFinished(async () => {
      helper.kill()
      await helper.exited
    })
    return helper
  }
  const { python, started } = await startInPython({}, { PATH: `${without}:${having}` }, start)
  expect(python).toMatch(/^\/.*python/)
  expect(await started.answer(0)).toEqual({ executable: python })
  expect(readFileSync(log, 'utf8')).toBe('without\nhaving\n')
  await eventually(() => lines.join(), 'noise of having', 'what that one says is passed on')
})
