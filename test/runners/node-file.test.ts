import { expect, test } from 'vitest'
import { isSameHost, parseNodeFile } from '../../src/runners/node-file.ts'

const hostsOf = (text: string): unknown => parseNodeFile(text).map(({ name, slots, line }) => [name, slots, line])

test.each([
  [
    'a line for each slot',
    'a\na\nb\na\n',
    [
      ['a', 3, 0],
      ['b', 1, 2],
    ],
  ],
  [
    "Grid Engine's form",
    'a.x 4 all.q@a.x UNDEFINED\nb.x 2 all.q@b.x <NULL>\n',
    [
      ['a.x', 4, 0],
      ['b.x', 2, 1],
    ],
  ],
  [
    'one that somebody has written',
    '# mine\n\na slots=2\n  me@b  # spare\n',
    [
      ['a', 2, 0],
      ['me@b', 1, 1],
    ],
  ],
  [
    "MPICH's form, and a name that is an IPv6 address",
    'a:4\nfe80::1:4\nme@b:2\n',
    [
      ['a', 4, 0],
      ['fe80::1:4', 1, 1],
      ['me@b', 2, 2],
    ],
  ],
  [
    'other words behind a name',
    'a max_slots=3\nb max_slots=8 slots=2\nc 10.0.0.3\n',
    [
      ['a', 1, 0],
      ['b', 2, 1],
      ['c', 1, 2],
    ],
  ],
  [
    'a host with its domain and without, and another one of its name',
    'a\nb.x.org 2\nA.x.org\nb.y.org\nb.x\nme@a.x.org\n',
    [
      ['a', 3, 0],
      ['b.x.org', 3, 1],
      ['b.y.org', 1, 3],
    ],
  ],
  [
    'an address, which is no name with a domain',
    '10\n10.0.0.1\n10.0.0.1\n10.0.0.11\n',
    [
      ['10', 1, 0],
      ['10.0.0.1', 2, 1],
      ['10.0.0.11', 1, 3],
    ],
  ],
  [
    'no end of the last line',
    'a\r\nb',
    [
      ['a', 1, 0],
      ['b', 1, 1],
    ],
  ],
])('reads %s', (_, text, hosts) => {
  expect(hostsOf(text)).toEqual(hosts)
})

test.each([
  ['-oProxyCommand=reboot', 'line 2 is "-oProxyCommand=reboot"'],
  ['b\u{1b}[2J', String.raw`line 2 is "b\u001b[2J"`],
  ['$(reboot)', 'line 2 is "$(reboot)"'],
  ["b';reboot", `line 2 is "b';reboot"`],
])('refuses %j as the name of a host', (name, says) => {
  expect(() => hostsOf(`a\n${name}\n`)).toThrow(`${says}, and begins with no name`)
})

test.each([
  'b slots=0',
  'b slots=-3',
  'b slots=99999999',
  'b slots=1000001',
  'b slots = 4',
  'b slots= 4',
  'b slots=four',
  'b 0 all.q@b UNDEFINED',
  'b -3',
  'b 1.5',
  'b:0',
  'b:',
  'b:x',
  'b:2 slots=4',
])('refuses the slots of %j', (line) => {
  expect(() => hostsOf(`a\n${line}\n`)).toThrow(
    `line 2 is "${line}", whose slots are no whole number from 1 to 1000000`,
  )
})

test('refuses more slots than a run may have, on all hosts together', () => {
  expect(hostsOf('a 600000\nb 400000\n')).toHaveLength(2)
  expect(() => hostsOf('a 600000\nb 400001\n')).toThrow('it has more than 1000000 slots')
})

test('refuses a file without hosts', () => {
  expect(() => hostsOf('\n# none\n')).toThrow('it names no host')
})

test.each([
  ['a', 'A.x.org', true],
  ['me@a', 'a.x', true],
  ['a.x.org', 'a.y.org', false],
  ['a', 'a1', false],
  ['10', '10.0.0.1', false],
  ['10.0.0.1', '10', false],
])('%s and %s are one host: %s', (one, other, are) => {
  expect(isSameHost(one, other)).toBe(are)
})
