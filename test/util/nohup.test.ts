import { expect, it } from 'vitest'
import { ignoresHangup } from '../../src/util/nohup.ts'

const input = { 'a terminal': '0100002', 'a file to read': '0100000', 'what nohup puts there': '0100001' }

function ignores({ env = {}, stdin = 'a terminal', name = 'bash', mask = '0000000000380004' } = {}): boolean {
  const files: Readonly<Record<string, string>> = {
    '/proc/self/fdinfo/0': `pos:\t0\nflags:\t${input[stdin as keyof typeof input]}\nmnt_id:\t26\n`,
    '/proc/7/status': `Name:\t${name}\nUmask:\t0022\nSigBlk:\t0000000000010000\nSigIgn:\t${mask}\nSigCgt:\t000000004b817efb\n`,
  }
  return ignoresHangup(env, 7, (path) => files[path] ?? '')
}

it('knows nohup by the word of the shell, by the input that it leaves, and by a shell that ignores HUP', () => {
  expect(ignores({ env: { _: '/usr/bin/nohup' } })).toBe(true)
  expect(ignores({ stdin: 'what nohup puts there' })).toBe(true)
  expect(ignores({ mask: '0000000000001001' })).toBe(true)
  expect(ignores({ mask: '0000000000001001', name: 'zsh' })).toBe(true)
})

it('takes nothing else for it', () => {
  expect(ignores()).toBe(false)
  expect(ignores({ stdin: 'a file to read', env: { _: '/usr/bin/timeout' } })).toBe(false)
  expect(ignores({ mask: '0000000000001001', name: 'slurmstepd' })).toBe(false)
  expect(ignores({ mask: '' })).toBe(false)
  const gone = (): string => {
    throw new Error('ENOENT')
  }
  expect(ignoresHangup({}, 7, gone)).toBe(false)
})
