import { describe, expect, it, onTestFinished } from 'vitest'
import { Frames } from '../../src/control/frames.ts'
import { NotProvedError, proveToCaller, proveToServer, type Purpose } from '../../src/control/handshake.ts'
import { frame, socketPair } from './support.ts'

const shared = { runKey: 'sim-7.0-r0', secret: 'the-secret' }
const word = 'A'.repeat(43)

/** Two ends of a connection, of which the test is one. */
async function pair(): Promise<[Frames, Frames]> {
  const [left, right] = await socketPair()
  onTestFinished(() => {
    left.destroy()
    right.destroy()
  })
  return [new Frames(left), new Frames(right)]
}

async function read(frames: Frames): Promise<Record<string, string>> {
  return JSON.parse((await frames.next()).toString()) as Record<string, string>
}

function write(frames: Frames, message: unknown): void {
  frames.send(Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)))
}

/** The answer of a rank 0 that knows the secret to a greeting. */
async function answerTo(greeting: unknown, known = shared): Promise<Record<string, string>> {
  const [server, caller] = await pair()
  proveToCaller(server, () => known).catch(() => undefined)
  write(caller, greeting)
  return await read(caller)
}

/** What a caller that knows the secret says first, and his proof for an answer. */
async function callerOf(purpose: Purpose, known = shared) {
  const [server, caller] = await pair()
  const proving = proveToServer(caller, purpose, known)
  proving.catch(() => undefined)
  return { server, proving, greeting: await read(server) }
}

describe('the handshake', () => {
  it('gives both ends the same keys, one for each direction', async () => {
    const [server, caller] = await pair()
    const [there, here] = await Promise.all([
      proveToCaller(server, () => shared),
      proveToServer(caller, 'observe', shared),
    ])
    expect(there.purpose).toBe('observe')
    const text = Buffer.from('hello')
    const sealed = here.sending.seal(text)
    expect(there.receiving.open(sealed)).toEqual(text)
    expect(here.receiving.open(there.sending.seal(text))).toEqual(text)
    expect(sealed.includes('hello')).toBe(false)
  })

  it('never sends the secret, the run key or anything of the caller, and never the same twice', async () => {
    const sent: string[] = []
    for (let i = 0; i < 2; i++) {
      const [server, caller] = await pair()
      const [onward, back] = await pair()
      // Somebody on the way, who sees all.
      const pass = (from: Frames, to: Frames): void => {
        from.onFrame((content) => {
          sent.push(content.toString())
          to.send(content)
        })
      }
      pass(server, onward)
      pass(onward, server)
      await Promise.all([proveToServer(caller, 'join', shared), proveToCaller(back, () => shared)])
    }
    expect(sent).toHaveLength(6)
    for (const text of sent) expect(text).not.toMatch(/the-secret|sim-7/)
    const words = sent.flatMap((text) => text.match(/[\w-]{43}/g) ?? [])
    expect(new Set(words).size).toBe(8)
  })

  it.each([
    ['the secret', { ...shared, secret: 'a-guess' }],
    ['the run key', { ...shared, runKey: 'sim-8.0-r0' }],
  ])('fails on both sides where one has another idea of %s', async (_, other) => {
    const [server, caller] = await pair()
    const there = proveToCaller(server, () => other)
    await expect(proveToServer(caller, 'join', shared)).rejects.toBeInstanceOf(NotProvedError)
    await expect(there).rejects.toThrow()
    await server.closed
  })
})

describe('a caller', () => {
  const nonsense = [
    ['nothing', ''],
    ['no JSON', 'ready'],
    ['another form', { nonce: word }],
    ['a nonce that is none', { nonce: 'short', proof: word }],
    ['a guess', { nonce: word, proof: word }],
    ['more than 4 kB', { nonce: word, proof: word, more: 'x'.repeat(5_000) }],
  ] as const
  it.each(nonsense)('tells nothing more to one that answers %s', async (_, answer) => {
    const { server, proving } = await callerOf('join')
    write(server, answer)
    await expect(proving).rejects.toBeInstanceOf(NotProvedError)
    await expect(server.next()).rejects.toThrow('closed')
  })

  it('does not believe an answer to another greeting', async () => {
    const earlier = await answerTo({ purpose: 'join', nonce: word })
    const { server, proving } = await callerOf('join')
    write(server, earlier)
    await expect(proving).rejects.toBeInstanceOf(NotProvedError)
  })

  it('does not believe an answer that was given for another purpose', async () => {
    const { server, proving, greeting } = await callerOf('join')
    write(server, await answerTo({ ...greeting, purpose: 'observe' }))
    await expect(proving).rejects.toBeInstanceOf(NotProvedError)
  })

  it('does not believe one who sends his own words back', async () => {
    const { server, proving, greeting } = await callerOf('join')
    // The nonce of the caller as that of the server, and a proof that another caller has given.
    const other = await callerOf('join')
    write(other.server, await answerTo(other.greeting))
    await other.proving
    const { proof } = await read(other.server)
    write(server, { nonce: greeting.nonce, proof })
    await expect(proving).rejects.toBeInstanceOf(NotProvedError)
  })
})

describe('rank 0', () => {
  /** Rank 0, which hears a greeting, and the proof that its caller would have to give. */
  async function serverOf(greeting: unknown) {
    const [server, caller] = await pair()
    const proving = proveToCaller(server, () => shared)
    proving.catch(() => undefined)
    write(caller, greeting)
    return { caller, proving }
  }

  it.each([
    ['nothing', ''],
    ['no JSON', 'ready'],
    ['another purpose', { purpose: 'command', nonce: word }],
    ['no nonce', { purpose: 'join' }],
    ['a nonce that is none', { purpose: 'join', nonce: 'A'.repeat(44) }],
    ['a nonce of other characters', { purpose: 'join', nonce: '"'.repeat(43) }],
  ])('answers nothing to one who says %s', async (_, greeting) => {
    const { caller, proving } = await serverOf(greeting)
    await expect(proving).rejects.toBeInstanceOf(NotProvedError)
    await expect(caller.next()).rejects.toThrow('closed')
  })

  it.each([
    ['a guess', { proof: word }],
    ['a proof of another length', { proof: 'A' }],
    ['nothing', ''],
  ])('closes where the proof is %s', async (_, proof) => {
    const { caller, proving } = await serverOf({ purpose: 'join', nonce: word })
    await read(caller)
    write(caller, proof)
    await expect(proving).rejects.toBeInstanceOf(NotProvedError)
    await expect(caller.next()).rejects.toThrow('closed')
  })

  it('does not take its own proof for that of the caller', async () => {
    const { caller, proving } = await serverOf({ purpose: 'join', nonce: word })
    const { proof } = await read(caller)
    write(caller, { proof })
    await expect(proving).rejects.toBeInstanceOf(NotProvedError)
  })

  it('does not believe a handshake that is played again', async () => {
    const { server, greeting, proving } = await callerOf('join')
    write(server, await answerTo(greeting))
    await proving
    const proof = await read(server)
    const again = await serverOf(greeting)
    await read(again.caller)
    write(again.caller, proof)
    await expect(again.proving).rejects.toBeInstanceOf(NotProvedError)
  })

  it('does not believe a proof for one purpose on a connection for another', async () => {
    const { server, greeting, proving } = await callerOf('observe')
    const { caller, proving: there } = await serverOf({ ...greeting, purpose: 'join' })
    write(server, await read(caller))
    await expect(proving).rejects.toBeInstanceOf(NotProvedError)
    caller.destroy()
    await expect(there).rejects.toThrow('closed')
  })

  it('holds no more than it has to of one who never finishes', async () => {
    const [server, caller] = await socketPair()
    const frames = new Frames(server)
    const proving = proveToCaller(frames, () => shared)
    proving.catch(() => undefined)
    caller.on('error', () => undefined)
    const endless = frame('x'.repeat(100))
    for (let i = 0; i < 100; i++) caller.write(endless)
    await expect(proving).rejects.toBeInstanceOf(NotProvedError)
    await frames.closed
  })
})
