import { createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { describe, expect, it, onTestFinished } from 'vitest'
import { addressesOf } from '../../src/control/open-channel.ts'
import { hostOf, isLoopback, networkName, ownAddresses } from '../../src/util/network.ts'
import { keptByHost } from '../../src/dask/verify-scheduler.ts'
import { reach } from '../../src/util/reach.ts'
import { closedPort } from '../support/connections.ts'
import { recordOf } from './support.ts'

/** A port that accepts connections on every address of this host. */
async function openPort(): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket)).listen(0)
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

async function outcome(reached: ReturnType<typeof reach>): Promise<string> {
  const result = await reached
  if (typeof result === 'string') return result
  result.destroy()
  return 'connected'
}

describe('reach', () => {
  it('tells connected, refused and unreachable apart, and throws nothing', async () => {
    expect(await outcome(reach('127.0.0.1', await openPort()))).toBe('connected')
    expect(await outcome(reach('127.0.0.1', closedPort))).toBe('refused')
    expect(await outcome(reach('no-such-host.invalid', 1))).toBe('unreachable')
  })

  it('gives up when it is told to', async () => {
    // An address for documentation: nobody answers there, if anything it is unreachable at once.
    const controller = new AbortController()
    const reached = outcome(reach('192.0.2.1', 9, { signal: controller.signal }))
    controller.abort()
    expect(await reached).toBe('unreachable')
  })
})

describe('addressesOf', () => {
  it('goes by loopback within one host, whatever addresses are given', async () => {
    const control = { addresses: [], port: 1, network: await networkName() }
    expect(await addressesOf(await recordOf(1, { control }))).toEqual(['127.0.0.1'])
  })

  it('never takes an address of its own for the host of the owner', async () => {
    const addresses = ['127.0.0.1', 'localhost', '::1', ...ownAddresses(), '192.0.2.1']
    const control = { addresses, port: 1, network: 'of another host' }
    expect(await addressesOf(await recordOf(1, { control }))).toEqual(['192.0.2.1'])
  })
})

describe('addresses', () => {
  it('are without loopback and link-local ones', () => {
    for (const address of ownAddresses()) {
      expect(isLoopback(address)).toBe(false)
      expect(address).not.toMatch(/^fe80:/)
    }
  })

  it.each([
    ['localhost', true],
    ['127.0.1.1', true],
    ['::1', true],
    ['10.0.0.1', false],
    ['node127', false],
  ])('%s stays within its host: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected)
  })

  it.each([
    ['tcp://10.0.0.1:8786', '10.0.0.1'],
    ['tls://[fe80::1]:8786', 'fe80::1'],
    ['tcp://node-1.cluster:1', 'node-1.cluster'],
    ['inproc://10.0.0.1/2/3', undefined],
    ['10.0.0.1:8786', undefined],
  ])('the host of %s is %s', (address, host) => {
    expect(hostOf(address)).toBe(host)
  })
})

it('names the other host that keeps a scheduler on its loopback to itself', async () => {
  const elsewhere = { ...(await recordOf(1)), host: 'another-host' }
  const control = { ...elsewhere.control, network: 'its own' }
  const address = 'tcp://127.0.0.1:8786'
  expect(await keptByHost(address, { ...elsewhere, control })).toBe('another-host')
  expect(await keptByHost('tcp://10.0.0.1:8786', { ...elsewhere, control })).toBeUndefined()
  expect(
    await keptByHost(address, { ...elsewhere, control: { ...control, network: await networkName() } }),
  ).toBeUndefined()
  // This host may have started anew since.
  expect(await keptByHost(address, { ...elsewhere, control, host: hostname() })).toBeUndefined()
  expect(await keptByHost(address, undefined)).toBeUndefined()
})
