import { describe, expect, it } from 'vitest'
import type { Identity } from '../../src/identity/identity.ts'
import { completeOptions, type RunnerOptions } from '../../src/options.ts'
import { listenHost, staysOnHost } from '../../src/components/listen-address.ts'
import { addressTowards, hostAddresses } from '../../src/util/network.ts'

const run = (nodes: number, options: RunnerOptions = {}) => ({
  options: completeOptions(options),
  identity: { rank: 0, size: 2, host: 'localhost', nodes } as Identity,
})
const outside = hostAddresses().find(({ kind, family }) => kind === 'network' && family === 'IPv4')
const elsewhere = '203.0.113.7'
const loopback = { address: '127.0.0.1', by: 'one-host' }

describe('a run of one host', () => {
  it('listens on loopback', async () => {
    expect(await listenHost('scheduler', run(1))).toEqual(loopback)
    expect(await listenHost('worker', run(1))).toEqual(loopback)
    for (const scheduler of ['tcp://127.0.0.1:8786', 'tls://[::1]:8786', 'tcp://localhost:8786'])
      expect(await listenHost('worker', run(1), scheduler), scheduler).toEqual(loopback)
    expect(await staysOnHost(run(1))).toBe(true)
  })

  it('listens where the user says', async () => {
    const open = run(1, { host: '0.0.0.0' })
    expect(await listenHost('scheduler', open)).toEqual({ address: '0.0.0.0', by: 'host' })
    expect(await staysOnHost(open)).toBe(false)
    expect(await staysOnHost(run(1, { interface: 'lo' }))).toBe(true)
    // What is not there is said when the scheduler starts.
    expect(await staysOnHost(run(1, { interface: 'none7' }))).toBe(false)
  })

  it.skipIf(outside === undefined)('listens on a network that the user names', async () => {
    const { name = '', address = '' } = outside ?? {}
    expect(await listenHost('scheduler', run(1, { schedulerInterface: name }))).toMatchObject({ by: 'interface' })
    expect(await staysOnHost(run(1, { schedulerInterface: name }))).toBe(false)
    const worker = await listenHost('worker', run(1, { schedulerInterface: name }), `tcp://${address}:8786`)
    expect(worker).toEqual({ address, by: 'step' })
  })

  it('has workers where the scheduler reaches them that is on another host', async () => {
    const worker = await listenHost('worker', run(1), `tcp://${elsewhere}:8786`)
    expect(worker?.address).not.toBe('127.0.0.1')
    const way = await addressTowards(elsewhere)
    if (way !== undefined) expect(worker).toEqual({ address: way, by: 'step' })
  })
})

it('a run of several hosts does not stay on its own', async () => {
  expect(await staysOnHost(run(2))).toBe(false)
  expect(await listenHost('scheduler', run(2))).not.toMatchObject({ by: 'one-host' })
})
