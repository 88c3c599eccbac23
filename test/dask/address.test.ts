import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../src/dask/address.ts'

describe('parseAddress', () => {
  it.for([
    ['tcp://10.0.0.1:8786', 'tcp', '10.0.0.1', 8786],
    ['tls://node-0.cluster:1', 'tls', 'node-0.cluster', 1],
    ['node_0:65535', 'tcp', 'node_0', 65_535],
    ['tcp://[::1]:8786', 'tcp', '::1', 8786],
    ['tls://[fe80::1%eth0]:8786', 'tls', 'fe80::1%eth0', 8786],
  ] as const)('reads %s', ([address, protocol, host, port]) => {
    expect(parseAddress(address)).toEqual({ protocol, host, port })
  })

  it.for([
    '',
    'tcp://',
    'tcp://host',
    'host',
    'tcp://host:0',
    'tcp://host:65536',
    'tcp://host:8786/',
    'tcp://::1:8786',
  ])('refuses "%s" and says how an address is written', (address) => {
    expect(() => parseAddress(address)).toThrow(
      new RangeError(`Cannot use the address "${address}": it is written tcp://host:port`),
    )
  })

  it.for([
    ['tcp://a\u001bb:1', 'tcp://a\\u001bb:1'],
    ['tcp://[a\nb]:1', 'tcp://[a\\u000ab]:1'],
  ] as const)('refuses %j, and prints no control character of it', ([address, printed]) => {
    expect(() => parseAddress(address)).toThrow(
      new RangeError(`Cannot use the address "${printed}": it is written tcp://host:port`),
    )
  })

  it.for(['ucx://10.0.0.1:8786', 'ws://10.0.0.1:8786', 'http://10.0.0.1:8787'])('does not speak %s', (address) => {
    expect(() => parseAddress(address)).toThrow(
      new RangeError(`Cannot use the address "${address}": only tcp:// and tls:// are spoken here`),
    )
  })
})
