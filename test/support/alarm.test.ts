import { expect, test } from 'vitest'
import { alarmIn } from './alarm.ts'

const dask = (label: string, what = 'Timeout'): string =>
  [
    'Future exception was never retrieved',
    `future: <Future finished exception=TimeoutError('${what}')>`,
    `TimeoutError: ${what}`,
  ]
    .map((line) => `${label}${line}\n`)
    .join('')

test('what a client of Dask says when it closes is no alarm', () => {
  expect(alarmIn(`result 6\n${dask('')}[0 scheduler] end\n`)).toBeUndefined()
  expect(alarmIn(`1: result 6\n${dask('1: ')}`)).toBeUndefined()
})

test('all else is, also of the same kind', () => {
  expect(alarmIn(dask('', 'another'))).toBe('Future exception was never retrieved')
  expect(alarmIn(dask('[0 scheduler] '))).toBe('[0 scheduler] Future exception was never retrieved')
  expect(alarmIn(`${dask('')}Traceback (most recent call last):\n`)).toBe('Traceback (most recent call last):')
  expect(alarmIn('a\n[0 scheduler] warn: b\n')).toBe('[0 scheduler] warn: b')
})
