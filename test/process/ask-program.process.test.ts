import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { askProgram } from '../../src/process/ask-program.ts'
import { canHang, HangingMount } from '../support/hanging-mount.ts'
import { temporaryDirectory } from './support/processes.ts'

const env = { PATH: '/usr/bin:/bin' }

describe('a program that is asked something', () => {
  it('gives what it prints, also where that is no UTF-8', async () => {
    const { stdout, stderr, failure } = await askProgram(['sh', '-c', String.raw`printf 'a\377b'; echo c >&2`], {
      env,
      timeout: 30_000,
    })
    expect({ stdout, stderr, failure }).toEqual({ stdout: 'a\ufffdb', stderr: 'c\n', failure: undefined })
  })

  it.each([
    ['ended', 'exited with status 3', ['sh', '-c', 'exit 3']],
    ['ended', 'was killed by SIGSEGV', ['sh', '-c', 'kill -SEGV $$']],
    ['talkative', 'printed more than 4 MB', ['yes']],
    ['late', 'did not answer within 300 ms', ['sleep', '60']],
    ['not started', 'there is no such program', ['program-nowhere']],
    ['not started', 'there is no such program', ['/dev/null/program']],
    ['not started', 'it is no program that this user may start (EACCES)', ['/dev/null']],
    ['ended', 'exited with status 127', ['sh', '-c', 'echo sh: not found >&2; exit 127']],
    ['not started', 'spawn E2BIG', ['true', 'x'.repeat(3_000_000)]],
  ] as const)('%s: says that it %s', async (how, why, command) => {
    const timeout = how === 'late' ? 300 : 30_000
    const { failure } = await askProgram(command, { env, timeout })
    const signal = why.endsWith('SIGSEGV') ? { signal: 'SIGSEGV' } : {}
    expect(failure).toEqual({ how, why, ...signal })
  })

  it.skipIf(!canHang)('a directory of PATH that hangs holds nobody, and what waits for it is killed', async () => {
    const root = temporaryDirectory()
    await using mount = await HangingMount.of(join(root, 'source'), join(root, 'mounted'))
    await writeFile(join(root, 'asked'), '#!/bin/sh\necho answer\n')
    await chmod(join(root, 'asked'), 0o755)
    const PATH = [join(root, 'mounted'), root, '/usr/bin', '/bin'].join(':')
    const ask = async (timeout: number, signal?: AbortSignal) =>
      await askProgram(['asked'], { env: { PATH }, timeout, signal })
    expect(await ask(30_000)).toEqual({ stdout: 'answer\n', stderr: '' })
    mount.hang()
    expect((await ask(300)).failure).toEqual({ how: 'late', why: 'did not answer within 300 ms' })
    const abort = new AbortController()
    const asking = ask(300_000, abort.signal)
    abort.abort()
    expect((await asking).failure).toEqual({ how: 'not started', why: 'The operation was aborted' })
  })
})
