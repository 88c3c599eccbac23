import { expect, it } from 'vitest'
import { formatReport } from '../../src/report/write-report.ts'
import { parseReport, readReport } from '../../src/report/read-report.ts'
import { exampleReport } from './support/example-report.ts'

it('what is written as JSON is read as the same report, and has its numbers in few lines', () => {
  const text = formatReport(exampleReport)
  expect(parseReport('run.json', text)).toEqual(JSON.parse(JSON.stringify(exampleReport)))
  expect(text.split('\n').length).toBeLessThan(250)
})

it('a text that looks like a list of numbers is left as it is', () => {
  const failure = { status: 1, message: '[\n 1,\n 2 ]', rank: 0, host: 'a', last_lines: ['[', ' 1', ']'] }
  expect(parseReport('run.json', formatReport({ ...exampleReport, failure })).failure).toEqual(failure)
})

it('a report of an older version, which had no recording, is one', () => {
  const { recording: _, ...older } = exampleReport
  expect(parseReport('run.json', JSON.stringify(older)).recording).toBeUndefined()
})

it.each([
  ['', 'it is not JSON'],
  ['<!doctype html>', 'it is a page already; name the report that ends in .json'],
  ['[]', 'it is JSON, but no report of a run: it is no object'],
  ['{}', 'it is JSON, but no report of a run: its "version" is not as --report writes it'],
  [JSON.stringify({ ...exampleReport, began: 'soon' }), 'it is JSON, but no report of a run: its "began" is not'],
  [
    JSON.stringify({ ...exampleReport, recording: { ...exampleReport.recording, samples: { at: ['x'] } } }),
    'it is JSON, but no report of a run: its "recording.samples.',
  ],
])('what is no report is refused with its reason: %s', (text, why) => {
  const read = (): unknown => parseReport('run.json', text)
  expect(read).toThrow(RangeError)
  expect(read).toThrow(`Cannot read the report "run.json": ${why}`)
})

it.each([
  ['/no/such.json', 'there is no such file'],
  ['/', 'it is a directory, not a regular file'],
])('what cannot be read is refused with its reason: %s', async (path, why) => {
  await expect(readReport(path)).rejects.toThrow(new RangeError(`Cannot read the report "${path}": ${why}`))
})
