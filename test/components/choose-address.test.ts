import { expect, describe, it } from 'vitest'
import { type AddressFacts, addressOfInterface, chooseAddress } from '../../src/components/choose-address.ts'
import { type InterfaceAddress, kindOf } from '../../src/util/network.ts'

/** Addresses from `eth0 10.0.0.1, lo 127.0.0.1`. */
function host(text: string): InterfaceAddress[] {
  return text.split(', ').map((each) => {
    const [name = '', address = ''] = each.split(' ')
    const family = address.includes(':') ? 'IPv6' : 'IPv4'
    return { name, address, family, kind: name === 'lo' ? 'loopback' : kindOf(name, address) }
  })
}

const bmcAndDocker = host('lo 127.0.0.1, usb0 169.254.3.1, docker0 172.17.0.1, eth0 10.77.0.10')
const nothing = { towardsNodes: [], towardsLauncher: [], named: [] }

function choose(addresses: readonly InterfaceAddress[], facts: Partial<AddressFacts> = {}): string {
  const chosen = chooseAddress({ addresses, ...nothing, ...facts })
  return `${String(chosen?.address)} by ${String(chosen?.by)}`
}

describe('an address is chosen', () => {
  it('as the way to another node of the step, although the launcher is at loopback', () => {
    const facts = { towardsNodes: ['10.77.0.10'], towardsLauncher: ['127.0.0.1'], named: ['127.0.1.1'] }
    expect(choose(bmcAndDocker, facts)).toBe('10.77.0.10 by step')
  })

  it('as the best of several ways, version 4 first', () => {
    const both = host('eth0 fd00:77::10, eth0 10.77.0.10, ib0 10.78.0.10')
    expect(choose(both, { towardsNodes: ['fd00:77::10', '10.77.0.10'] })).toBe('10.77.0.10 by step')
    expect(choose(both, { towardsNodes: ['fd00:77::10'] })).toBe('fd00:77::10 by step')
    expect(choose(bmcAndDocker, { towardsNodes: ['172.17.0.1', '10.77.0.10'] })).toBe('10.77.0.10 by step')
  })

  it('on a bridge where other nodes are found there, and never by loopback or the cable alone', () => {
    expect(choose(bmcAndDocker, { towardsNodes: ['172.17.0.1'] })).toBe('172.17.0.1 by step')
    expect(choose(bmcAndDocker, { towardsNodes: ['127.0.0.1', '169.254.3.1'] })).toBe('10.77.0.10 by only')
  })

  it('as the way to the launcher where no name of a node resolves, unless that is a bridge', () => {
    expect(choose(bmcAndDocker, { towardsLauncher: ['10.77.0.10'] })).toBe('10.77.0.10 by step')
    expect(choose(bmcAndDocker, { towardsLauncher: ['172.17.0.1'] })).toBe('10.77.0.10 by only')
  })

  it('as what the name of the host stands for, where nothing else tells', () => {
    const two = host('eth0 10.0.0.1, eth1 10.1.0.1, docker0 172.17.0.1')
    expect(choose(two, { named: ['10.1.0.1'] })).toBe('10.1.0.1 by name')
    expect(choose(two, { named: ['127.0.1.1', '172.17.0.1'] })).toBe('10.0.0.1 by guess')
  })

  it.each([
    ['usb0 169.254.3.1, docker0 172.17.0.1, eth0 10.77.0.10', '10.77.0.10 by only'],
    ['usb0 169.254.3.1, docker0 172.17.0.1, tun0 10.8.0.2, eth0 fd00:77::10', 'fd00:77::10 by only'],
    ['eth0 fd00:77::10, eth0 10.77.0.10', '10.77.0.10 by only'],
    ['eth0 10.77.0.10, ib0 10.78.0.10', '10.77.0.10 by guess'],
    ['usb0 169.254.3.1, docker0 172.17.0.1, tun0 10.8.0.2', '10.8.0.2 by guess'],
    ['usb0 169.254.3.1, docker0 172.17.0.1', '172.17.0.1 by guess'],
    ['usb0 169.254.3.1, lo 127.0.0.1', '169.254.3.1 by guess'],
    ['lo 127.0.0.1, lo ::1', 'undefined by undefined'],
  ])('last by the kinds of networks: %s', (addresses, expected) => {
    expect(choose(host(addresses))).toBe(expected)
  })

  it('as the user says, first of all', () => {
    const facts: AddressFacts = { addresses: bmcAndDocker, ...nothing, towardsNodes: ['10.77.0.10'] }
    expect(chooseAddress(facts, { interface: 'usb0' })).toEqual({ address: '169.254.3.1', by: 'interface' })
    expect(chooseAddress(facts, { host: 'login.site', interface: 'usb0' })).toEqual({
      address: 'login.site',
      by: 'host',
    })
    expect(chooseAddress(facts, { host: '[fd00:77::10]' })?.address).toBe('fd00:77::10')
  })
})

describe('an interface', () => {
  const here = host('lo 127.0.0.1, eth0 192.168.5.7, ib0 10.1.2.3, ib0 fd00::3')

  it.each([
    ['ib0', '10.1.2.3'],
    ['eth0', '192.168.5.7'],
    ['hsn0,ib0,eth0', '10.1.2.3'],
    ['eth0, ib0', '192.168.5.7'],
    ['10.1.0.0/16', '10.1.2.3'],
    ['10.2.0.0/16,192.168.0.0/16', '192.168.5.7'],
    ['fd00::/8', 'fd00::3'],
  ])('"%s" is %s', (choice, address) => {
    expect(addressOfInterface(choice, here)).toBe(address)
  })

  it('that has an address of the cable alone, too, is the other one', () => {
    expect(addressOfInterface('eth0', host('eth0 169.254.7.7, eth0 fd00::7'))).toBe('fd00::7')
  })

  it('that is unknown is an error that lists those that exist', () => {
    expect(() => addressOfInterface('ib1,10.9.0.0/16', here)).toThrow(
      new RangeError(
        'Cannot use interface "ib1,10.9.0.0/16": this host has ' +
          'lo (127.0.0.1), eth0 (192.168.5.7), ib0 (10.1.2.3), ib0 (fd00::3)',
      ),
    )
  })
})
