import { connect } from 'node:net'
import { describe, expect, it, test, vi } from 'vitest'
import { joinControl, openHeartbeatChannel, RefusedError } from '../../src/control/join.ts'
import type { MemberChannel } from '../../src/control/server.ts'
import { closedPort } from '../support/connections.ts'
import { recordOf, startServer, startStranger } from './support.ts'

const me = { rank: 2, host: 'node2', instance: 'i', signal: new AbortController().signal }

describe('joinControl', { timeout: 30_000 }, () => {
  it('says why rank 0 refuses it, with an error of its own', async () => {
    const onMember = (channel: MemberChannel): void => {
      channel.send({ type: 'refused', why: 'there is another one' })
      channel.end()
    }
    const { port } = await startServer({ onMember })
    const joined = joinControl(await recordOf(port), me)
    await expect(joined).rejects.toThrow(`Cannot join rank 0 on node0, port ${port}: there is another one`)
    await expect(joined).rejects.toBeInstanceOf(RefusedError)
  })

  it.each([
    ['secret', { secret: 'another' }],
    ['run key', { runKey: 'sim-8.0-r0' }],
  ])('names host and port where a run of another %s answers', async (_, other) => {
    const onMember = vi.fn()
    const { port } = await startServer({ ...other, onMember })
    await expect(joinControl(await recordOf(port), me)).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: `Cannot join rank 0 on node0, port ${port}: what listens there does not prove that it is of this run`,
    })
    expect(onMember).not.toHaveBeenCalled()
  })

  it('names host and port when nobody listens there', async () => {
    await expect(joinControl(await recordOf(closedPort), me)).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: `Cannot join rank 0 on node0, port ${closedPort}: the connection is refused`,
    })
  })

  it('names host and port when another program answers or closes', async () => {
    const port = await startStranger((socket) => socket.write('220 ready\r\n'))
    await expect(joinControl(await recordOf(port), me)).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: `Cannot join rank 0 on node0, port ${port}: what listens there does not prove that it is of this run`,
    })
    const closing = await startStranger((socket) => socket.end())
    await expect(joinControl(await recordOf(closing), me)).rejects.toThrow('the connection was closed')
  })

  it('names host and port when nothing is answered', async () => {
    const port = await startStranger(() => undefined)
    await expect(joinControl(await recordOf(port), { ...me, patience: 1_000 })).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: `Cannot join rank 0 on node0, port ${port}: it does not answer`,
    })
  })

  it('gives up at once, with the reason, when it is told to', async () => {
    const controller = new AbortController()
    const port = await startStranger(() => {
      controller.abort(new Error('the run is over'))
    })
    await expect(joinControl(await recordOf(port), { ...me, signal: controller.signal })).rejects.toThrow(
      'the run is over',
    )
  })
})

test('a channel for heartbeats is tried again where a port that is flooded closes the first one', async () => {
  const { port } = await startServer()
  let closed = 0
  const flooded = await startStranger((socket) => {
    if (closed++ < 1) socket.destroy()
    else socket.pipe(connect(port, '127.0.0.1')).pipe(socket)
  })
  const channel = await openHeartbeatChannel(await recordOf(flooded), 2)
  expect(channel).toBeDefined()
  if (typeof channel === 'object') channel.destroy()
})

test('and not by a process that has ended', async () => {
  const flooded = await startStranger((socket) => socket.destroy())
  const over = new AbortController()
  const opening = openHeartbeatChannel(await recordOf(flooded), 2, over.signal)
  over.abort(new Error('the run is over'))
  await expect(opening).rejects.toThrow('the run is over')
})

test('and not where rank 0 has ended', async () => {
  expect(await openHeartbeatChannel(await recordOf(closedPort), 2)).toBe('refused')
})
