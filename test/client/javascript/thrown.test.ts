import { expect, test } from 'vitest'
import { decodeThrown, encodeThrown } from '../../../src/client/javascript/thrown.ts'
import { TaskError } from '../../../src/client/task-error.ts'

test('an error of any name is one again', () => {
  for (const name of ['RangeError', 'Mine', 'toString', 'constructor', '__proto__']) {
    const back = decodeThrown(encodeThrown(Object.assign(new Error('text'), { name })))
    expect(back).toBeInstanceOf(Error)
    expect(back).toMatchObject({ name, message: 'text' })
  }
})

test('a failure whose error another release of Node has written is told by its text', () => {
  const failure = { kind: 'javascript', type: 'JavaScriptError', text: 'Error: text', traceback: '' } as const
  const error = new TaskError('k', { ...failure, details: Buffer.from([255, 99, 1, 2, 3]) })
  expect(error.message).toBe('Cannot compute "k": Error: text')
  expect(error.cause).toBeUndefined()
})
