import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { findPython } from '../../src/python/find-python.ts'
import { temporaryDirectory } from '../process/support/processes.ts'
import { canHang, HangingMount } from '../support/hanging-mount.ts'

describe('findPython', () => {
  let root: string
  beforeEach(() => {
    root = temporaryDirectory()
  })

  /** A pretended interpreter at a path below the directory of the test. */
  function python(path: string, script: string): string {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `#!/bin/sh\n${script}\n`)
    chmodSync(file, 0o755)
    return file
  }
  const withDask = (path: string): string => python(path, 'printf %s "$0"')
  const withoutDask = (path: string): string => python(path, 'exit 0')
  const path = (...names: string[]): string => names.map((name) => join(root, name)).join(':')

  it('takes the one that is named, and no other', async () => {
    const named = withDask('named/python')
    withDask('bin/python3')
    expect(await findPython({ python: named }, { PATH: path('bin') })).toBe(named)
    const lacking = withoutDask('lacking/python')
    const message = `Cannot find a Python that has Dask: ${lacking} has no module distributed; name an interpreter that has it, or install it there (pip install distributed)`
    await expect(findPython({ python: lacking }, { PATH: path('bin') })).rejects.toMatchObject({
      code: 'ERR_ENVIRONMENT',
      message,
    })
  })

  it('looks a name without a path up on PATH', async () => {
    const found = withDask('bin/python3.99')
    expect(await findPython({ python: 'python3.99' }, { PATH: path('bin') })).toBe(found)
  })

  it('prefers the active environment: VIRTUAL_ENV, then CONDA_PREFIX, then PATH', async () => {
    const [venv, conda, onPath] = [withDask('venv/bin/python'), withDask('conda/bin/python'), withDask('bin/python3')]
    const [VIRTUAL_ENV, CONDA_PREFIX] = [join(root, 'venv'), join(root, 'conda')]
    expect(await findPython({}, { PATH: path('bin'), VIRTUAL_ENV, CONDA_PREFIX })).toBe(venv)
    expect(await findPython({}, { PATH: path('bin'), CONDA_PREFIX })).toBe(conda)
    expect(await findPython({}, { PATH: path('bin'), VIRTUAL_ENV: '', CONDA_PREFIX: '' })).toBe(onPath)
  })

  it("prefers the client program's own Python to the active environment, if it has Dask", async () => {
    const [venv, conda] = [withDask('venv/bin/python'), withDask('conda/bin/python')]
    const env = { PATH: path('conda/bin'), VIRTUAL_ENV: join(root, 'venv'), CONDA_PREFIX: join(root, 'conda') }
    expect(await findPython({ command: ['python', 'client.py'] }, env)).toBe(conda)
    expect(await findPython({ command: ['python', 'client.py'], python: venv }, env)).toBe(venv)
    expect(await findPython({ command: ['./client'] }, env)).toBe(venv)
    withoutDask('conda/bin/python')
    expect(await findPython({ command: ['python', 'client.py'] }, env)).toBe(venv)
  })

  it.skipIf(!canHang)('waits for no directory of PATH that hangs, and says which', async () => {
    withDask('bin/python3')
    await using mount = await HangingMount.of(join(root, 'source'), join(root, 'mounted'))
    mount.hang()
    const message = `Cannot look at "${join(root, 'mounted/python3')}": its filesystem has not answered for 5 s; leave its directory out of PATH, or name another program`
    const env = { PATH: path('mounted', 'bin') }
    await expect(findPython({ filesystemTimeout: 5_000 }, env)).rejects.toMatchObject({
      code: 'ERR_ENVIRONMENT',
      message,
    })
  })

  it('does without the client program where that cannot be read', async () => {
    const onPath = withDask('bin/python3')
    mkdirSync(join(root, 'folder'))
    expect(await findPython({ command: [join(root, 'folder')] }, { PATH: path('bin') })).toBe(onPath)
    expect(await findPython({ command: [join(root, 'missing')] }, { PATH: path('bin') })).toBe(onPath)
  })

  it('takes the first python3 on PATH that has Dask', async () => {
    withoutDask('one/python3')
    python('two/python3', 'echo broken >&2; exit 1')
    const third = withDask('three/python3')
    withDask('four/python3')
    expect(await findPython({}, { PATH: path('none', 'one', 'two', 'three', 'four') })).toBe(third)
  })

  it('takes the last line that one prints, and no path that is none', async () => {
    const talks = python('talks/python3', 'echo "module loaded"; printf /opt/bin/python')
    expect(await findPython({}, { PATH: path('talks') })).toBe('/opt/bin/python')
    expect(talks).toContain('talks')
    python('nonsense/python3', String.raw`printf 'x\033[2J'`)
    await expect(findPython({}, { PATH: path('nonsense') })).rejects.toThrow(
      String.raw`python3 printed "x\u001b[2J" in place of its path`,
    )
    python('endless/python3', 'exec /usr/bin/yes')
    await expect(findPython({}, { PATH: path('endless', 'bin') })).rejects.toThrow('fails: printed more than 4 MB')
  })

  it('says what it tried and how to install it where none has it', async () => {
    const venv = withoutDask('venv/bin/python')
    const broken = python('one/python3', 'echo Traceback >&2; echo "ImportError: no encodings" >&2; exit 1')
    const silent = python('two/python3', 'exit 3')
    const finding = findPython({}, { PATH: path('one', 'none', 'two'), VIRTUAL_ENV: join(root, 'venv') })
    await expect(finding).rejects.toMatchObject({
      code: 'ERR_ENVIRONMENT',
      message: `Cannot find a Python that has Dask: ${venv} has no module distributed; ${broken} fails: ImportError: no encodings; ${silent} fails: exited with status 3; activate the environment that has it, name its interpreter by --python, or install it (pip install distributed)`,
    })
  })

  it('says that there is none', async () => {
    await expect(findPython({}, { PATH: path('none') })).rejects.toThrow('there is no python3 on PATH')
    await expect(findPython({}, {})).rejects.toThrow('there is no python3 on PATH')
    const missing = join(root, 'missing/python')
    await expect(findPython({ python: missing }, {})).rejects.toThrow(`${missing} is not there or not executable`)
    await expect(findPython({ python: 'python-nowhere' }, { PATH: path('none') })).rejects.toThrow(
      'python-nowhere fails: there is no such program',
    )
  })
})
