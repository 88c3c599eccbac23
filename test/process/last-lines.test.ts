import { expect, it } from 'vitest'
import { defaults } from '../../src/defaults.ts'
import { LastLines } from '../../src/process/last-lines.ts'

const time = '2026-11-29 12:00:00,123'
const info = `${time} - distributed.core - INFO - Starting established connection to tcp://10.0.0.1:8786`
const warning = `${time} - distributed.worker.memory - WARNING - Worker is at 80% memory usage. Pausing worker.`
const error = `${time} - distributed.worker - ERROR - Could not import "x"`
const traceback = [
  'Traceback (most recent call last):',
  '  File "a.py", line 1, in <module>',
  '    import x',
  'MyFailure: x',
]

function chosen(lines: readonly string[], limit = 6): readonly string[] {
  const last = new LastLines(limit)
  last.add(lines)
  return last.lines
}

it('keeps the last lines only, oldest first', () => {
  expect(chosen('a b c d e f g h i j'.split(' '))).toEqual(['e', 'f', 'g', 'h', 'i', 'j'])
})

it('never has what is mere information, marked or not, with the lines that belong to it', () => {
  expect(chosen([info, '\u001etwo lines', '\u001eof it', `${time} - distributed.core - DEBUG - x`])).toEqual([])
  expect(chosen([error, ...traceback, info, info, info, info, info, info, info])).toEqual([error, ...traceback])
})

it('does not lose a warning, an error or a traceback to what a program prints', () => {
  const printed = Array.from({ length: 50 }, (_, i) => `result ${i}`)
  expect(chosen([warning, ...printed])).toEqual([warning, 'result 47', 'result 48', 'result 49'])
  expect(chosen([info, ...traceback, ...printed])).toEqual([...traceback.slice(-3), ...printed.slice(-3)])
  expect(chosen([...printed, error, ...traceback]).slice(1)).toEqual([error, ...traceback])
})

it('keeps of each line as much as goes into one message between ranks, with the others', () => {
  const lines = chosen(
    Array.from({ length: defaults.tailLines }, () => '\u0000'.repeat(70_000)),
    defaults.tailLines,
  )
  expect(lines).toHaveLength(defaults.tailLines)
  // A longer frame is refused, and with it the rank that has sent it.
  expect(JSON.stringify(lines).length).toBeLessThan(1_000_000)
  expect(chosen(['x'.repeat(4_096)])).toEqual(['x'.repeat(4_096)])
})
