import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { askOwner } from '../../src/control/ask.ts'
import { closedPort } from '../support/connections.ts'
import { frame, recordOf, startServer, startStranger } from './support.ts'

describe('askOwner', { timeout: 30_000 }, () => {
  it('finds a run alive that proves that it has the nonce', async () => {
    const { port } = await startServer()
    expect(await askOwner(await recordOf(port))).toBe('alive')
  })

  it('finds a run gone where another one answers', async () => {
    const { port } = await startServer({ nonce: 'of-a-later-start' })
    expect(await askOwner(await recordOf(port))).toBe('gone')
  })

  it('finds a run gone where the connection is refused', async () => {
    expect(await askOwner(await recordOf(closedPort))).toBe('gone')
  })

  it.each([
    ['answers something else', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['answers another message', frame({ type: 'welcome' })],
    ['claims to have proved itself', frame({ nonce: 'n'.repeat(43), proof: 'p'.repeat(43) })],
  ])('finds a run gone where another program %s', async (_, words: string | Buffer) => {
    const port = await startStranger((socket) => socket.write(words))
    expect(await askOwner(await recordOf(port))).toBe('gone')
  })

  it('finds a run gone where another program closes the connection', async () => {
    const port = await startStranger((socket) => socket.once('data', () => socket.end()))
    expect(await askOwner(await recordOf(port))).toBe('gone')
  })

  it('finds a run alive whose port is flooded, so that it closes a connection now and then', async () => {
    const { port } = await startServer()
    let closed = 0
    const flooded = await startStranger((socket) => {
      if (closed++ < 2) socket.destroy()
      else socket.pipe(connect(port, '127.0.0.1')).pipe(socket)
    })
    expect(await askOwner(await recordOf(flooded))).toBe('alive')
  })

  it('takes a port that accepts and says nothing for a run that is busy', async () => {
    const port = await startStranger(() => undefined)
    expect(await askOwner(await recordOf(port))).toBe('alive')
  })

  it('cannot tell where no address of the owner leads to it', async () => {
    const { port } = await startServer()
    const control = { addresses: ['127.0.0.1'], port, network: 'of another host' }
    expect(await askOwner(await recordOf(port, { control }))).toBe('unreachable')
  })
})
