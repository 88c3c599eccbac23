import { describe, expect, it, vi } from 'vitest'
import { Frames } from '../../src/control/frames.ts'
import { frame, socketPair } from './support.ts'
import { patient } from '../support/until.ts'

/** One end as frames, what has come over it, and the raw socket at its other end. */
async function framesAndFarEnd() {
  const [near, far] = await socketPair()
  const frames = new Frames(near)
  const heard: string[] = []
  frames.onFrame((content) => heard.push(content.toString()))
  return { frames, heard, far }
}

describe('Frames', () => {
  it('puts a frame together that comes in parts, and takes several out of one chunk', async () => {
    const { heard, far } = await framesAndFarEnd()
    for (const byte of frame('€uro')) {
      far.write(Buffer.of(byte))
      await new Promise((next) => setImmediate(next))
    }
    await vi.waitFor(() => expect(heard).toEqual(['€uro']), patient)
    const last = frame('three')
    far.write(Buffer.concat([frame('one'), frame(''), frame('two'), last.subarray(0, 6)]))
    far.write(last.subarray(6))
    await vi.waitFor(() => expect(heard).toEqual(['€uro', 'one', '', 'two', 'three']), patient)
  })

  it.each([
    ['one long frame', [frame('x'.repeat(4_093))]],
    ['the announcement of one', [Buffer.of(0, 0, 16, 0)]],
    ['many short ones', Array.from({ length: 50 }, () => frame('x'.repeat(100)))],
    ['text of another program', [Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
  ])('takes no more than 4 kB of somebody who has not proved himself: %s', async (_, chunks) => {
    const { frames, heard, far } = await framesAndFarEnd()
    far.write(Buffer.concat(chunks))
    await frames.closed
    expect(frames.isGarbage).toBe(true)
    expect(heard.join('').length).toBeLessThan(4_096)
  })

  it('takes more of somebody who has, but no frame that is a mistake', async () => {
    const { frames, heard, far } = await framesAndFarEnd()
    frames.trust()
    far.write(frame('x'.repeat(1_000_000)))
    await vi.waitFor(() => expect(heard).toHaveLength(1), patient)
    far.write(Buffer.of(0x7f, 0xff, 0xff, 0xff))
    await frames.closed
    expect(frames.isGarbage).toBe(true)
  })

  it('holds only so many bytes of a frame that does not end, however slowly they come', async () => {
    const { frames, heard, far } = await framesAndFarEnd()
    far.write(Buffer.of(0, 0, 15, 0))
    for (let i = 0; i < 100; i++) {
      far.write('x')
      await new Promise((next) => setImmediate(next))
    }
    far.end()
    await frames.closed
    expect([heard, frames.isGarbage]).toEqual([[], false])
  })
})
