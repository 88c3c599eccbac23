import { expect, it } from 'vitest'
import { formatFrame, type LogFrame, readFrame } from '../../src/run/log-frame.ts'

const frames: readonly LogFrame[] = ['one\n', '0 3\ntwo\n', 'zwölf\n'].map((text, file) => ({
  file,
  lines: Buffer.from(text),
}))

it.each([1, 3, 7, 100])('gives each frame as it was, whatever is in it, if %i bytes come at a time', (step) => {
  const all = Buffer.concat(frames.map(formatFrame))
  const got: LogFrame[] = []
  let rest = Buffer.alloc(0)
  for (let at = 0; at < all.length; at += step) {
    rest = Buffer.concat([rest, all.subarray(at, at + step)])
    for (let read = readFrame(rest); read !== undefined; read = readFrame(rest)) {
      got.push({ ...read.frame, lines: Buffer.from(read.frame.lines) })
      rest = Buffer.from(read.rest)
    }
  }
  expect(got).toEqual(frames)
  expect(rest).toHaveLength(0)
})

it.each(['\n', 'x 1\n', '1\n', '1 -1\n', '-1 1\n'])('refuses what is no frame: %j', (text) => {
  expect(() => readFrame(Buffer.from(text))).toThrow('no frame begins with')
})
