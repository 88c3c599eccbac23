import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Hello } from '../../src/control/messages.ts'
import { ControlServer, type Peer } from '../../src/control/server.ts'
import { say, startServer } from './support.ts'

const hello: Hello = { type: 'hello', run_key: 'sim-7.0-r0', secret: 'the-secret', rank: 2, host: 'node2', pid: 5 }
const line = (message: unknown): string => `${JSON.stringify(message)}\n`

describe('ControlServer', () => {
  it('welcomes a process of the run and hands it on', async () => {
    const peers: [Peer, Hello][] = []
    const server = await startServer({ onPeer: (...peer) => peers.push(peer) })
    const { socket, answer } = await say(server.port, line(hello) + line({ type: 'done' }))
    await vi.waitFor(() => expect(peers).toHaveLength(1), 10_000)
    const [[peer, shown] = []] = peers
    expect(shown).toEqual(hello)
    const heard = vi.fn()
    peer?.onMessage(heard)
    await vi.waitFor(() => expect(heard).toHaveBeenCalledWith({ type: 'done' }), 10_000)
    socket.end()
    await peer?.closed
    expect(await answer).toBe(line({ type: 'welcome' }))
  })

  it.each([
    ['another secret', { secret: 'a-guess!!!' }],
    ['a shorter secret', { secret: '' }],
    ['a secret of another number of bytes', { secret: 'thé-secret' }],
    ['another run key', { run_key: 'sim-8.0-r0' }],
  ])('refuses %s, and does not say the secret', async (_, changes) => {
    const onPeer = vi.fn()
    const server = await startServer({ onPeer })
    const { answer } = await say(server.port, line({ ...hello, ...changes }))
    expect(await answer).toMatch(/^\{"type":"refused","why":"this is run sim-7\.0-r0[^\n]*"\}\n$/)
    expect(await answer).not.toContain('the-secret')
    expect(onPeer).not.toHaveBeenCalled()
  })

  it('refuses whoever begins without a word of greeting', async () => {
    const onPeer = vi.fn()
    const server = await startServer({ onPeer })
    const { answer } = await say(server.port, line({ type: 'ended', status: 0 }))
    expect(await answer).toContain('"refused"')
    expect(onPeer).not.toHaveBeenCalled()
  })

  it('tells anybody which run it is, without a secret', async () => {
    const onPeer = vi.fn()
    const server = await startServer({ onPeer })
    const { answer } = await say(server.port, line({ type: 'who' }))
    expect(await answer).toBe(line({ type: 'run', run_key: 'sim-7.0-r0', nonce: 'the-nonce' }))
    expect(onPeer).not.toHaveBeenCalled()
  })

  it('drops who says nothing of sense, or nothing at all', { timeout: 30_000 }, async () => {
    const onPeer = vi.fn()
    const server = await startServer({ onPeer })
    const [garbage, half, silent] = await Promise.all([
      say(server.port, 'GET / HTTP/1.1\r\n\r\n'),
      say(server.port, line(hello).slice(0, 20)),
      say(server.port),
    ])
    expect(await Promise.all([garbage.answer, half.answer, silent.answer])).toEqual(['', '', ''])
    expect(onPeer).not.toHaveBeenCalled()
  })

  it('keeps a process of the run that has nothing more to say', { timeout: 30_000 }, async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const onPeer = vi.fn<(peer: Peer) => void>()
    const server = await startServer({ onPeer })
    await say(server.port, line(hello))
    while (onPeer.mock.calls.length === 0) await new Promise((next) => setImmediate(next))
    // No timer is left that would drop it.
    expect(vi.getTimerCount()).toBe(0)
  })

  it('closes every connection with it, and may be closed twice', async () => {
    const server = await startServer()
    const { answer } = await say(server.port, line(hello))
    const { port } = server
    await Promise.all([server.close(), server.close()])
    await server.close()
    await answer
    await expect(say(port)).rejects.toThrow('ECONNREFUSED')
  })

  it('says where it cannot listen', async () => {
    const listening = ControlServer.listen({
      runKey: 'k',
      nonce: 'n',
      secret: 's',
      // An address for documentation, which no host has.
      host: '192.0.2.1',
      onPeer: () => undefined,
    })
    await expect(listening).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: expect.stringContaining('192.0.2.1') as string,
    })
  })
})
