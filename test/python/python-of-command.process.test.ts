import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describePython } from '../../src/python/describe-python.ts'
import { pythonOfCommand, pythonOfFirstLine } from '../../src/python/python-of-command.ts'
import { temporaryDirectory } from '../process/support/processes.ts'

describe('pythonOfCommand', () => {
  it.each([
    [['python', 'a.py'], 'python'],
    [['/opt/venv/bin/python3.12', '-m', 'a'], '/opt/venv/bin/python3.12'],
    [['/usr/bin/env', 'python3', 'a.py'], 'python3'],
    [['env', '-S', 'python3', '-u', 'a.py'], 'python3'],
    [['env', 'OMP_NUM_THREADS=1', 'B=', 'python3', 'a.py'], 'python3'],
    [['env', 'PATH=/opt/bin', 'python3', 'a.py'], undefined],
    [['env', '-i', 'python3', 'a.py'], undefined],
    [['numactl', '--interleave=all', 'python3', 'a.py'], 'python3'],
    [['/usr/bin/time', '-v', '/opt/venv/bin/python', 'a.py'], '/opt/venv/bin/python'],
    [['nsys', 'profile', '-o', 'python.out', 'python', 'a.py'], 'python'],
    [['nice', './client'], undefined],
    [['apptainer', 'exec', 'image.sif', 'python3', 'a.py'], undefined],
    [['pythonic-tool'], undefined],
  ] as const)('of %j is %s', async (command, python) => {
    expect(await pythonOfCommand([...command] as [string, ...string[]], { PATH: '/nowhere' })).toBe(python)
  })

  it('is that of the first line of a script, by its path or on PATH', async () => {
    const root = temporaryDirectory()
    writeFileSync(join(root, 'a'), '#!/opt/bin/python3 -u\nprint(1)\n')
    chmodSync(join(root, 'a'), 0o755)
    expect(await pythonOfCommand([join(root, 'a')], {})).toBe('/opt/bin/python3')
    expect(await pythonOfCommand(['a', 'b'], { PATH: `/nowhere:${root}` })).toBe('/opt/bin/python3')
    expect(await pythonOfCommand(['b'], { PATH: root })).toBeUndefined()
  })
})

describe('pythonOfFirstLine', () => {
  it.each([
    ['#!/usr/bin/env python3', 'python3'],
    ['#! /usr/bin/python3.11', '/usr/bin/python3.11'],
    ['#!/bin/sh', undefined],
    ['import sys', undefined],
    ['#!', undefined],
  ])('of %j is %s', (line, python) => {
    expect(pythonOfFirstLine(line)).toBe(python)
  })
})

describe('describePython', () => {
  function script(text: string): string {
    const path = join(temporaryDirectory(), 'python')
    writeFileSync(path, `#!/bin/sh\n${text}\n`)
    chmodSync(path, 0o755)
    return path
  }
  const answer = { executable: '/p', version: '3.11.2', packages: { dask: '1' }, place: null }

  it('reads its answer among other words', async () => {
    const python = script(`echo 'Loading modules'; echo '${JSON.stringify(answer)}'; echo bye`)
    expect(await describePython(python, { env: {}, timeout: 60_000 })).toEqual(answer)
  })

  it.each([
    ['sleep 60', /it did not answer within 300 ms$/],
    ['echo "ImportError: no encodings" >&2; exit 1', /: ImportError: no encodings$/],
    ['echo nonsense', /it printed "nonsense/],
  ])('says why %j has none', async (text, why) => {
    const timeout = text.startsWith('sleep') ? 300 : 30_000
    const asking = describePython(script(text), { env: { PATH: '/usr/bin:/bin' }, timeout })
    await expect(asking).rejects.toMatchObject({
      code: 'ERR_ENVIRONMENT',
      message: expect.stringMatching(why) as string,
    })
  })
})
