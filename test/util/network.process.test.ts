import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { addressTowards, hostAddresses, hostAndPort, kindOf } from '../../src/util/network.ts'

test('this host has its loopback address', () => {
  expect(hostAddresses()).toContainEqual({ name: 'lo', address: '127.0.0.1', family: 'IPv4', kind: 'loopback' })
})

test.for([
  ['eth0', '10.77.0.10', 'network'],
  ['ib0', 'fd00:77::10', 'network'],
  ['hsn0', '10.150.0.4', 'network'],
  ['bond0.12', '192.168.5.7', 'network'],
  ['br0', '192.168.5.7', 'network'],
  ['br-4f1c9b3d7a20', '172.18.0.1', 'bridge'],
  ['docker0', '172.17.0.1', 'bridge'],
  ['br-ex', '10.0.0.5', 'network'],
  ['ovn-k8s-mp0', '10.128.0.2', 'bridge'],
  ['cni0', '10.42.0.1', 'bridge'],
  ['virbr0', '192.168.122.1', 'bridge'],
  ['cni-podman0', '10.88.0.1', 'bridge'],
  ['podman0', '10.88.0.1', 'bridge'],
  ['lxcbr0', '10.0.3.1', 'bridge'],
  ['vethab12cd', '10.0.3.2', 'bridge'],
  ['docker0', 'fd00:17::1', 'bridge'],
  ['tun0', '10.8.0.6', 'tunnel'],
  ['wg0', 'fd00:9::2', 'tunnel'],
  ['usb0', '169.254.3.1', 'link-local'],
  ['eth0', 'fe80::1', 'link-local'],
] as const)('%s %s is of the kind %s', ([name, address, kind]) => {
  expect(kindOf(name, address)).toBe(kind)
})

test.for([
  ['without ports', [], 'bridge'],
  ['of containers and virtual machines alone', ['veth1a2b', 'vnet0', 'tap3'], 'bridge'],
  ['with a cable to other hosts', ['veth1a2b', 'eno1'], 'network'],
  ['with a bond', ['bond0.12'], 'network'],
] as const)('a bridge of any name %s is told by what it connects', async ([, ports, kind]) => {
  const sysfs = await mkdtemp(join(tmpdir(), 'net-'))
  onTestFinished(async () => await rm(sysfs, { recursive: true }))
  for (const port of ports) await mkdir(join(sysfs, 'br7/brif', port), { recursive: true })
  await mkdir(join(sysfs, 'br7/brif'), { recursive: true })
  expect(kindOf('br7', '10.22.0.1', sysfs)).toBe(kind)
})

test('packets to this host leave from itself', async () => {
  expect(await addressTowards('127.0.0.1')).toBe('127.0.0.1')
  expect(await addressTowards('no address')).toBeUndefined()
})

test('an address of version 6 has brackets before its port', () => {
  expect([hostAndPort('10.0.0.1', 8786), hostAndPort('fd00::1', 8786), hostAndPort('node1', 1)]).toEqual([
    '10.0.0.1:8786',
    '[fd00::1]:8786',
    'node1:1',
  ])
})
