import { describe, expect, it, vi } from 'vitest'
import {
  type FromCoordinator,
  fromCoordinatorSchema,
  type ToCoordinator,
  toCoordinatorSchema,
} from '../../src/control/messages.ts'
import { SocketChannel } from '../../src/control/socket-channel.ts'
import { provedPair } from './support.ts'
import { patient } from '../support/until.ts'

/** Rank 0's end of a channel, what has come over it, and the far end: sealed frames, or anything else. */
async function channelAndFarEnd() {
  const [near, { frames, session }] = await provedPair()
  const channel = new SocketChannel<ToCoordinator, FromCoordinator>(near.frames, near.session, toCoordinatorSchema)
  const heard: ToCoordinator[] = []
  channel.onMessage((message) => heard.push(message))
  const sealed = (text: string | Buffer): Buffer => session.sending.seal(Buffer.from(text))
  return { channel, heard, frames, sealed, say: (text: string | Buffer) => frames.send(sealed(text)) }
}

async function bothEnds() {
  const [near, far] = await provedPair()
  const one = new SocketChannel<ToCoordinator, FromCoordinator>(near.frames, near.session, toCoordinatorSchema)
  const other = new SocketChannel<FromCoordinator, ToCoordinator>(far.frames, far.session, fromCoordinatorSchema)
  return { one, other }
}

const ended = (status: number): ToCoordinator => ({ type: 'ended', status })

describe('SocketChannel', () => {
  it('carries messages in both directions', async () => {
    const { one, other } = await bothEnds()
    other.send({ type: 'ended', status: 3 })
    one.send({ type: 'refused', why: 'wörds of\nseveral lines' })
    expect(await one.next()).toEqual(ended(3))
    expect(await other.next()).toEqual({ type: 'refused', why: 'wörds of\nseveral lines' })
  })

  it('keeps what comes before somebody listens, in its order', async () => {
    const { one, other } = await bothEnds()
    for (const status of [1, 2, 3]) other.send(ended(status))
    expect(await one.next()).toEqual(ended(1))
    const heard: ToCoordinator[] = []
    one.onMessage((message) => heard.push(message))
    await vi.waitFor(() => expect(heard).toEqual([ended(2), ended(3)]), patient)
  })

  it.each([
    ['no JSON', 'GET / HTTP/1.1'],
    ['nothing', ''],
    ['JSON of another form', '{"type":"ended","status":"three"}'],
    ['bytes that are no text', Buffer.of(0xff, 0xfe, 0x00, 0x0a)],
  ])('closes at %s, after what came before it', async (_, garbage) => {
    const { channel, heard, say } = await channelAndFarEnd()
    say('{"type":"ended","status":1}')
    say(garbage)
    say('{"type":"ended","status":2}')
    await channel.closed
    expect(heard).toEqual([ended(1)])
  })

  it.each<[string, (first: Buffer, second: Buffer) => Buffer[], ToCoordinator?]>([
    ['is sent again', (first) => [first, first], ended(1)],
    ['is left out', (_, second) => [second]],
    ['comes too early', (first, second) => [second, first]],
    ['is not sealed', () => [Buffer.from('{"type":"ended","status":1}')]],
    ['is shorter than a seal', () => [Buffer.from('x')]],
    ['is empty', () => [Buffer.alloc(0)]],
    ['was changed', (first) => [Buffer.from(first.map((byte, i) => (i === 3 ? byte ^ 1 : byte)))]],
  ])('closes at a message that %s', async (_, tamper, before) => {
    const { channel, heard, frames, sealed } = await channelAndFarEnd()
    const [first, second] = [sealed('{"type":"ended","status":1}'), sealed('{"type":"ended","status":2}')]
    for (const frame of tamper(first, second)) frames.send(frame)
    await channel.closed
    expect(heard).toEqual(before === undefined ? [] : [before])
  })

  it('closes at a message that was sent by its own end', async () => {
    const [near, far] = await provedPair()
    const channel = new SocketChannel<ToCoordinator, ToCoordinator>(near.frames, near.session, toCoordinatorSchema)
    // Whoever is on the way sends back what he has seen.
    far.frames.onFrame((frame) => {
      far.frames.send(frame)
    })
    const heard = vi.fn()
    channel.onMessage(heard)
    channel.send(ended(1))
    await channel.closed
    expect(heard).not.toHaveBeenCalled()
  })

  it('takes a long message that is none too long', async () => {
    const { one, other } = await bothEnds()
    // The last lines of a component at their longest, each character in six bytes.
    const lines = Array.from({ length: 20 }, () => '\u0000'.repeat(4_096))
    const message: ToCoordinator = { type: 'worker-ended', status: 1, again: false, message: '€', last_lines: lines }
    other.send(message)
    expect(await one.next()).toEqual(message)
  })

  it('says that the connection was closed to who waits for a message', async () => {
    const { one, other } = await bothEnds()
    const next = one.next()
    other.destroy()
    await expect(next).rejects.toThrow('the connection was closed')
    await one.closed
    // Nobody is there to hear it, and nobody is alarmed.
    one.send({ type: 'welcome' })
  })

  it('sends what it was given before it ends', async () => {
    const { one, other } = await bothEnds()
    one.send({ type: 'terminate', signal: 'SIGTERM' })
    one.end()
    expect(await other.next()).toEqual({ type: 'terminate', signal: 'SIGTERM' })
    await other.closed
  })
})
