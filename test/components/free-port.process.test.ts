import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../src/components/free-port.ts'

const sources = { port: '--port', host: 'DASK_HPC_RUNNER_HOST' }

describe('a port that a component can listen on', () => {
  it('is any where nobody asks for one', async () => {
    expect(await freePort('port', '127.0.0.1', {})).toBe(0)
    expect(await freePort('port', '127.0.0.1', { port: '0' })).toBe(0)
    expect(await freePort('workerPort', '127.0.0.1', { host: '127.0.0.1' })).toBe(0)
  })

  it('is not one that something else listens on', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      await expect(freePort('port', '127.0.0.1', { port: `${port}`, sources })).rejects.toMatchObject({
        code: 'ERR_UNAVAILABLE',
        message: `Cannot use --port "${port}": something listens on port ${port} already`,
      })
    } finally {
      server.close()
    }
  })

  it('is on an address of this host', async () => {
    const options = { host: '192.0.2.77', sources }
    await expect(freePort('port', '192.0.2.77', options)).rejects.toThrow(RangeError)
    await expect(freePort('port', '192.0.2.77', options)).rejects.toThrow(
      /^Cannot use DASK_HPC_RUNNER_HOST "192\.0\.2\.77": 192\.0\.2\.77 is no address of this host, which has .*127\.0\.0\.1 \(lo\)/,
    )
  })
})
