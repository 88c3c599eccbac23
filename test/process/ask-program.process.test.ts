import { describe, expect, it } from 'vitest'
import { askProgram } from '../../src/process/ask-program.ts'

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
    ['not started', 'spawn ENOTDIR', ['/dev/null/program']],
    ['not started', 'spawn E2BIG', ['true', 'x'.repeat(3_000_000)]],
  ] as const)('%s: says that it %s', async (how, why, command) => {
    const timeout = how === 'late' ? 300 : 30_000
    const { failure } = await askProgram(command, { env, timeout })
    const signal = why.endsWith('SIGSEGV') ? { signal: 'SIGSEGV' } : {}
    expect(failure).toEqual({ how, why, ...signal })
  })
})
