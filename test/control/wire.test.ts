import { describe, expect, it, vi } from 'vitest'
import { type FromHub, fromHubSchema, type ToHub, toHubSchema } from '../../src/control/messages.ts'
import { Wire } from '../../src/control/wire.ts'
import { socketPair } from './support.ts'

/** A wire, what has come over it, and the raw socket at its other end. */
async function wireAndFarEnd() {
  const [near, far] = await socketPair()
  const wire = new Wire<ToHub, FromHub>(near, toHubSchema)
  const heard: ToHub[] = []
  wire.onMessage((message) => heard.push(message))
  return { wire, heard, far }
}

const ended = (status: number): ToHub => ({ type: 'ended', status })

describe('Wire', () => {
  it('carries messages in both directions', async () => {
    const [left, right] = await socketPair()
    const one = new Wire<ToHub, FromHub>(left, toHubSchema)
    const other = new Wire<FromHub, ToHub>(right, fromHubSchema)
    other.send({ type: 'ended', status: 3 })
    one.send({ type: 'refused', why: 'wörds of\nseveral lines' })
    expect(await one.next()).toEqual(ended(3))
    expect(await other.next()).toEqual({ type: 'refused', why: 'wörds of\nseveral lines' })
  })

  it('puts a message together that comes in parts, and takes several out of one chunk', async () => {
    const { heard, far } = await wireAndFarEnd()
    const bytes = Buffer.from('{"type":"worker-ended","status":1,"again":false,"message":"€","last_lines":[]}\n')
    for (const byte of bytes) {
      far.write(Buffer.of(byte))
      await new Promise((next) => setImmediate(next))
    }
    await vi.waitFor(() => expect(heard).toHaveLength(1), 10_000)
    far.write('{"type":"ended","status":1}\n{"type":"ended","status":2}\n{"type":"ended",')
    far.write('"status":3}\n')
    await vi.waitFor(() => expect(heard).toHaveLength(4), 10_000)
    expect(heard).toEqual([
      { type: 'worker-ended', status: 1, again: false, message: '€', last_lines: [] },
      ended(1),
      ended(2),
      ended(3),
    ])
  })

  it('keeps what comes before somebody listens, in its order', async () => {
    const [near, far] = await socketPair()
    const wire = new Wire<ToHub, FromHub>(near, toHubSchema)
    far.write([1, 2, 3].map((status) => `${JSON.stringify(ended(status))}\n`).join(''))
    expect(await wire.next()).toEqual(ended(1))
    const heard: ToHub[] = []
    wire.onMessage((message) => heard.push(message))
    await vi.waitFor(() => expect(heard).toEqual([ended(2), ended(3)]), 10_000)
  })

  it.each([
    ['no JSON', 'GET / HTTP/1.1\n'],
    ['an empty line', '\n'],
    ['JSON of another form', '{"type":"ended","status":"three"}\n'],
    ['bytes that are no text', Buffer.of(0xff, 0xfe, 0x00, 0x0a)],
  ])('closes at %s, after what came before it', async (_, garbage) => {
    const { wire, heard, far } = await wireAndFarEnd()
    far.write('{"type":"ended","status":1}\n')
    far.write(garbage)
    far.write('{"type":"ended","status":2}\n')
    await wire.closed
    expect(heard).toEqual([ended(1)])
  })

  it('closes at a message that does not end', async () => {
    const { wire, heard, far } = await wireAndFarEnd()
    far.write('x'.repeat(1_000_000))
    await wire.closed
    expect(heard).toEqual([])
  })

  it('takes a long message that is none too long', async () => {
    const { heard, far } = await wireAndFarEnd()
    const message = 'x'.repeat(200_000)
    far.write(`${JSON.stringify({ type: 'worker-ended', status: 1, again: false, message, last_lines: [] })}\n`)
    await vi.waitFor(
      () => expect(heard).toEqual([{ type: 'worker-ended', status: 1, again: false, message, last_lines: [] }]),
      10_000,
    )
  })

  it('says that the connection was closed to who waits for a message', async () => {
    const { wire, far } = await wireAndFarEnd()
    const next = wire.next()
    far.destroy()
    await expect(next).rejects.toThrow('the connection was closed')
    await wire.closed
    // Nobody is there to hear it, and nobody is alarmed.
    wire.send({ type: 'welcome' })
  })

  it('sends what it was given before it ends', async () => {
    const [left, right] = await socketPair()
    const one = new Wire<ToHub, FromHub>(left, toHubSchema)
    const other = new Wire<FromHub, ToHub>(right, fromHubSchema)
    one.send({ type: 'terminate', signal: 'SIGTERM' })
    one.end()
    expect(await other.next()).toEqual({ type: 'terminate', signal: 'SIGTERM' })
    await other.closed
  })
})
