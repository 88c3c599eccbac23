import { expect, it } from 'vitest'
import { createLogger, type LoggerOptions } from '../src/logger.ts'

function logged(options: LoggerOptions): string[] {
  const lines: string[] = []
  const logger = createLogger({ ...options, write: (line) => lines.push(line) })
  logger.info('one')
  logger.warn('two')
  logger.error('three')
  return lines
}

it('writes a line a message: who, how grave, what', () => {
  expect(logged({ prefix: '[2 worker]' })).toEqual([
    '[2 worker] one',
    '[2 worker] warn: two',
    '[2 worker] error: three',
  ])
  expect(logged({})).toEqual(['one', 'warn: two', 'error: three'])
})

it('writes JSON where that is asked for, with the time in ISO 8601', () => {
  const records = logged({ prefix: '[0]', format: 'json' }).map((line) => JSON.parse(line) as { time: string })
  expect(records).toMatchObject([
    { level: 'info', who: '[0]', message: 'one' },
    { level: 'warn', who: '[0]', message: 'two' },
    { level: 'error', who: '[0]', message: 'three' },
  ])
  for (const { time } of records) expect(new Date(time).toISOString()).toBe(time)
})

it.each(['text', 'json'] as const)('lets nothing through to a terminal but text, as %s', (format) => {
  const lines: string[] = []
  const logger = createLogger({ prefix: '[0]', format, write: (line) => lines.push(line) })
  logger.error('a host \u001b[2J\u0007, a path\r\nerror: \u009b31m, a name \u202e')
  // eslint-disable-next-line no-control-regex -- that is what may not be in it
  expect(lines.join('\n')).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u202e]*$/)
  expect(lines.join('')).toContain('\\u001b[2J')
})

it('tells what goes wrong in every process, how the run goes where that is told, and all of it if it is verbose', () => {
  const told = (options: LoggerOptions): { told: string[]; kept: string[] } => {
    const [told, kept]: [string[], string[]] = [[], []]
    const logger = createLogger({ ...options, write: (line) => told.push(line), keep: (line) => kept.push(line) })
    for (const level of ['detail', 'info', 'warn', 'error'] as const) logger[level](level)
    return { told, kept }
  }
  const all = ['detail', 'info', 'warn: warn', 'error: error']
  expect(told({})).toEqual({ told: all.slice(1), kept: all })
  expect(told({ speaks: false })).toEqual({ told: all.slice(2), kept: all })
  expect(told({ speaks: false, verbose: true })).toEqual({ told: all, kept: all })
})
