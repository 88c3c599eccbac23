import { describe, expect, it, vi } from 'vitest'
import { joinControl } from '../../src/control/join.ts'
import { closedPort, recordOf, startServer, startStranger } from './support.ts'

const me = { rank: 2, host: 'node2', signal: new AbortController().signal }

describe('joinControl', { timeout: 30_000 }, () => {
  it('shows who it is and is welcomed', async () => {
    const onPeer = vi.fn()
    const { port } = await startServer({ onPeer })
    const link = await joinControl(await recordOf(port), me)
    expect(onPeer).toHaveBeenCalledWith(
      expect.anything(),
      expect.objectContaining({ rank: 2, host: 'node2', pid: process.pid, run_key: 'sim-7.0-r0' }),
    )
    link.destroy()
  })

  it('names host and port, and why, when it is refused', async () => {
    const { port } = await startServer({ secret: 'another' })
    await expect(joinControl(await recordOf(port), me)).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: `Cannot join process 0 on node0, port ${port}: this is run sim-7.0-r0, and the caller is not of it`,
    })
  })

  it('names host and port when nobody listens there', async () => {
    const port = await closedPort()
    await expect(joinControl(await recordOf(port), me)).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: `Cannot join process 0 on node0, port ${port}: the connection is refused`,
    })
  })

  it('names host and port when another program answers or closes', async () => {
    const port = await startStranger((socket) => socket.write('220 ready\r\n'))
    await expect(joinControl(await recordOf(port), me)).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: `Cannot join process 0 on node0, port ${port}: the connection was closed`,
    })
    const confused = await startStranger((socket) => socket.write('{"type":"terminate","signal":"SIGINT"}\n'))
    await expect(joinControl(await recordOf(confused), me)).rejects.toThrow('it says terminate')
  })

  it('names host and port when nothing is answered', async () => {
    const port = await startStranger(() => undefined)
    await expect(joinControl(await recordOf(port), me)).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: `Cannot join process 0 on node0, port ${port}: it does not answer`,
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
