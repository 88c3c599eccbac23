import { Readable } from 'node:stream'
import { once } from 'node:events'
import { expect, test, vi } from 'vitest'
import * as z from 'zod/mini'
import { forEachMessage } from '../../src/process/messages.ts'

test('of what comes over a pipe only messages are heard, and once that there was something else', async () => {
  const [heard, other] = [vi.fn(), vi.fn()]
  const chunks = [
    'garbage',
    '\n{"n": 1}\n',
    '\n\n',
    '{"n": "one"}\nnull\n{',
    '}\n{"n": 2}\n',
    Buffer.from([0xff, 0, 10]),
    '{"n": 3',
  ]
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
  forEachMessage(stream, z.object({ n: z.number() }), heard, other)
  await once(stream, 'close')
  await new Promise(setImmediate)
  expect(heard.mock.calls).toEqual([[{ n: 1 }], [{ n: 2 }]])
  expect(other).toHaveBeenCalledTimes(1)
})
