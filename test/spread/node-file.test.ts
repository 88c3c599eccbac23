import { expect, test } from 'vitest'
import { parseNodeFile } from '../../src/spread/node-file.ts'

const hostsOf = (text: string): unknown => parseNodeFile(text, 'F').map(({ name, slots, line }) => [name, slots, line])

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
  expect(() => hostsOf(`a\n${name}\n`)).toThrow(`Cannot spread over the hosts of "F": ${says}, and begins with no name`)
})

test('refuses a file without hosts', () => {
  expect(() => hostsOf('\n# none\n')).toThrow('it names none; check the file')
})
