import { describe, expect, it } from 'vitest'
import { RunnerError } from '../../src/errors.ts'
import { hasControlCharacters } from '../../src/util/control-characters.ts'
import { temporaryDirectory, workingDirectory } from '../../src/util/surroundings.ts'

describe('hasControlCharacters', () => {
  it.each(['\n', '\r', '\t', '\0', '\u001b', '\u007f', '\u0085', '\u2028', '\u2029'])('finds %j anywhere', (char) => {
    for (const text of [char, `a${char}`, `${char}a`, `a${char}b`]) expect(hasControlCharacters(text)).toBe(true)
  })

  it.each(['', '/scratch/a b', 'Übung-日本-😀', '\u00a0', '$`"\'\\*'])('finds none in %j', (text) => {
    expect(hasControlCharacters(text)).toBe(false)
  })
})

describe('the surroundings', () => {
  const environmentError = (why: string): unknown =>
    expect.objectContaining({ code: 'ERR_ENVIRONMENT', message: expect.stringContaining(why) as unknown })

  it('are refused with a control character in their name', () => {
    expect(() => temporaryDirectory('/tmp/x\nd /home')).toThrow(RunnerError)
    expect(() => temporaryDirectory('/tmp/x\nd /home')).toThrow(environmentError('TMPDIR "/tmp/x\\u000ad /home"'))
    expect(() => workingDirectory(() => '/work\n')).toThrow(environmentError('"/work\\u000a"'))
  })

  it('are refused with a name that is no UTF-8, of which Node has another one', () => {
    const latin1 = Buffer.from('/scratch/caf\xe9', 'latin1').toString()
    expect(() => temporaryDirectory(latin1)).toThrow(
      environmentError('TMPDIR "/scratch/caf\ufffd": its name is no UTF-8'),
    )
    expect(() => workingDirectory(() => latin1)).toThrow(environmentError('the working directory "/scratch/caf\ufffd"'))
  })

  it('are refused where the working directory was removed', () => {
    const removed = (): never => {
      throw Object.assign(new Error('ENOENT: no such file or directory, uv_cwd'), { code: 'ENOENT' })
    }
    expect(() => workingDirectory(removed)).toThrow(environmentError('it was removed'))
  })

  it('make the directory for temporary files absolute', () => {
    expect(temporaryDirectory('/tmp/x/')).toBe('/tmp/x')
    expect(temporaryDirectory('x')).toBe(`${process.cwd()}/x`)
  })
})
