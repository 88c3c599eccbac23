import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { joinControl, openHeartbeatChannel } from '../../src/control/join.ts'
import type { Hello } from '../../src/control/messages.ts'
import { openChannel } from '../../src/control/open-channel.ts'
import { ControlServer, type MemberChannel } from '../../src/control/server.ts'
import { frame, recordOf, say, startServer } from './support.ts'
import { patient } from '../support/until.ts'

const me = { rank: 2, host: 'node2', instance: 'i', signal: new AbortController().signal }
const welcome = (channel: MemberChannel): void => {
  channel.send({ type: 'welcome' })
}
const greeting = frame({ purpose: 'join', nonce: 'A'.repeat(43) })

describe('ControlServer', () => {
  it('hands on a process of the run, with what it says', async () => {
    const heard: unknown[] = []
    const onMember = vi.fn((channel: MemberChannel, _: Hello) => {
      welcome(channel)
      channel.onMessage((message) => heard.push(message))
    })
    const server = await startServer({ onMember })
    const channel = await joinControl(await recordOf(server.port), me)
    channel.send({ type: 'done' })
    await vi.waitFor(() => expect(heard).toEqual([{ type: 'here' }, { type: 'done' }]), patient)
    const hello = { type: 'hello', rank: 2, host: 'node2', pid: process.pid, instance: 'i' }
    expect(onMember).toHaveBeenCalledWith(expect.anything(), hello)
    channel.end()
  })

  it('hands on a second channel and a observer as what they are', async () => {
    const [onMember, onHeartbeatChannel, onObserver] = [vi.fn(), vi.fn(), vi.fn()]
    const server = await startServer({ onMember, onHeartbeatChannel, onObserver })
    const record = await recordOf(server.port)
    const second = await openHeartbeatChannel(record, 3)
    await vi.waitFor(() => expect(onHeartbeatChannel).toHaveBeenCalledWith(expect.anything(), 3), patient)
    const observer = await openChannel(record, { purpose: 'observe', secret: record.secret })
    await vi.waitFor(() => expect(onObserver).toHaveBeenCalledOnce(), patient)
    expect(onMember).not.toHaveBeenCalled()
    if (typeof second === 'object') second.destroy()
    if (typeof observer !== 'string') observer.destroy()
  })

  it('has no use for one who knows the secret and says nothing of sense with it', async () => {
    const onMember = vi.fn()
    const server = await startServer({ onMember })
    const record = await recordOf(server.port)
    const opened = await openChannel(record, { purpose: 'join', secret: record.secret })
    if (typeof opened === 'string') expect.fail(opened)
    opened.send({ type: 'ended', status: 0 })
    await opened.closed
    expect(onMember).not.toHaveBeenCalled()
  })

  it('shows the nonce of the run to nobody, and that it has it to those who have it too', async () => {
    const onMember = vi.fn()
    const server = await startServer({ onMember })
    const record = await recordOf(server.port)
    const { socket, answer } = await say(server.port, frame({ purpose: 'ask', nonce: 'A'.repeat(43) }))
    await vi.waitFor(() => expect(socket.bytesRead).toBeGreaterThan(0), patient)
    socket.end()
    expect(await answer).not.toMatch(/the-nonce|the-secret|sim-7/)
    // Those who ask are not those who know the secret, and the other way round.
    expect(await openChannel(record, { purpose: 'ask', secret: record.secret })).toBe('not ours')
    expect(await openChannel(record, { purpose: 'join', secret: record.nonce })).toBe('not ours')
    expect(onMember).not.toHaveBeenCalled()
  })

  it('drops who says nothing of sense at once', async () => {
    const onMember = vi.fn()
    const server = await startServer({ onMember })
    const [garbage, other] = await Promise.all([
      say(server.port, 'GET / HTTP/1.1\r\n\r\n'),
      say(server.port, frame({ type: 'who' })),
    ])
    expect(await Promise.all([garbage.answer, other.answer])).toEqual(['', ''])
    expect(onMember).not.toHaveBeenCalled()
  })

  it('drops who says nothing, or not all of it, when his time is over, however slowly he goes on', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const server = await startServer()
    const silent = await say(server.port)
    const half = await say(server.port, greeting.subarray(0, 20))
    const unproved = await say(server.port, greeting)
    const turns = async (n: number): Promise<void> => {
      for (let i = 0; i < n; i++) await new Promise((next) => setImmediate(next))
    }
    while (unproved.socket.bytesRead === 0) await turns(1)
    // A byte now and then gives nobody more time.
    for (let i = 20; i < 50; i++) {
      await vi.advanceTimersByTimeAsync(1_000)
      half.socket.write(greeting.subarray(i, i + 1))
      await turns(10)
    }
    const answers = [silent.answer, half.answer, unproved.answer]
    await Promise.all(answers)
    expect(await silent.answer).toBe('')
    expect(await half.answer).toBe('')
  })

  it('keeps no timer for a process of the run, which may be silent as long as it likes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const onMember = vi.fn(welcome)
    const server = await startServer({ onMember })
    const channel = await joinControl(await recordOf(server.port), me)
    expect(vi.getTimerCount()).toBe(0)
    channel.destroy()
  })

  it('keeps the newest of those that have not proved themselves, and takes in a process of the run among them', async () => {
    const onMember = vi.fn(welcome)
    const server = await startServer({ onMember, size: 4 })
    const first = await say(server.port, greeting)
    const others: Awaited<ReturnType<typeof say>>[] = []
    for (let i = 0; i < 600; i++) others.push(await say(server.port, greeting))
    // It was dropped for one that came later, long before its time is over.
    await first.answer
    const channel = await joinControl(await recordOf(server.port), me)
    expect(onMember).toHaveBeenCalledOnce()
    // It has taken the place of one more.
    await vi.waitFor(() => expect(others.filter(({ socket }) => !socket.closed).length).toBe(515), patient)
    channel.destroy()
  })

  it('closes every connection with it, and may be closed twice', async () => {
    const server = await startServer({ onMember: welcome })
    const { port } = server
    const channel = await joinControl(await recordOf(port), me)
    const { answer } = await say(port)
    await Promise.all([server.close(), server.close()])
    await server.close()
    await answer
    await channel.closed
    await expect(say(port)).rejects.toThrow('ECONNREFUSED')
  })

  it('says where it cannot listen', async () => {
    const listening = ControlServer.listen({
      runKey: 'k',
      nonce: 'n',
      secret: 's',
      // An address for documentation, which no host has.
      host: '192.0.2.1',
      onMember: () => undefined,
    })
    await expect(listening).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: expect.stringContaining('192.0.2.1') as string,
    })
  })
})
