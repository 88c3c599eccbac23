import { expect, test } from 'vitest'
import { addressTowards, chooseAddress, hostAddresses, type InterfaceAddress } from '../../src/util/network.ts'

const host: InterfaceAddress[] = [
  { name: 'lo', address: '127.0.0.1', family: 'IPv4', internal: true },
  { name: 'eth0', address: '192.168.5.7', family: 'IPv4', internal: false },
  { name: 'ib0', address: '10.1.2.3', family: 'IPv4', internal: false },
  { name: 'ib0', address: 'fd00::3', family: 'IPv6', internal: false },
]

test.for([
  ['ib0', '10.1.2.3'],
  ['eth0', '192.168.5.7'],
  ['hsn0,ib0,eth0', '10.1.2.3'],
  ['eth0, ib0', '192.168.5.7'],
  ['10.1.0.0/16', '10.1.2.3'],
  ['10.2.0.0/16,192.168.0.0/16', '192.168.5.7'],
  ['fd00::/8', 'fd00::3'],
])('the interface "%s" is %s', ([choice, address]) => {
  expect(chooseAddress(choice ?? '', host)).toBe(address)
})

test('an unknown interface is an error that lists those that exist', () => {
  expect(() => chooseAddress('ib1,10.9.0.0/16', host)).toThrow(
    new RangeError(
      'Cannot use interface "ib1,10.9.0.0/16": this host has ' +
        'lo (127.0.0.1), eth0 (192.168.5.7), ib0 (10.1.2.3), ib0 (fd00::3)',
    ),
  )
})

test.for(['10.1.0.0/33', '10.1.0.0/', 'ten/8', '10.1.0.0/x', 'fd00::/129'])('"%s" is no network', (choice) => {
  expect(() => chooseAddress(choice, host)).toThrow(/a network is written as 10\.1\.0\.0\/16/)
})

test('this host has its loopback address', () => {
  expect(hostAddresses()).toContainEqual({ name: 'lo', address: '127.0.0.1', family: 'IPv4', internal: true })
})

test('packets to this host leave from itself', async () => {
  expect(await addressTowards('127.0.0.1')).toBe('127.0.0.1')
  expect(await addressTowards('no address')).toBeUndefined()
})
