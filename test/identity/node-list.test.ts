import { describe, expect, it } from 'vitest'
import { expandCounts, expandNodeList } from '../../src/identity/node-list.ts'

describe('expandNodeList', () => {
  it.each([
    ['node0', ['node0']],
    ['node[0-2]', ['node0', 'node1', 'node2']],
    ['node[0-1,4]', ['node0', 'node1', 'node4']],
    ['gpu3,node[08-10],login', ['gpu3', 'node08', 'node09', 'node10', 'login']],
    ['n[098-101]', ['n098', 'n099', 'n100', 'n101']],
    ['n[9-10]-ib', ['n9-ib', 'n10-ib']],
    ['rack[0-1]n[0-1]', ['rack0n0', 'rack0n1', 'rack1n0', 'rack1n1']],
    ['node2,node0', ['node2', 'node0']],
  ])('expands %s', (text, names) => {
    expect(expandNodeList(text)).toEqual(names)
  })

  it.each([
    '',
    'node[',
    'node]',
    'node[]',
    'node[0-',
    'node[a-b]',
    'node[3-1]',
    'a,,b',
    'a,',
    'n[0-999999999]',
    `n[${'0'.repeat(99)}1-9]`,
  ])('does not take "%s" for a list', (text) => {
    expect(expandNodeList(text)).toBeUndefined()
  })
})

describe('expandCounts', () => {
  it.each([
    ['1', [1]],
    ['2(x3)', [2, 2, 2]],
    ['4,1(x2)', [4, 1, 1]],
  ])('expands %s', (text, counts) => {
    expect(expandCounts(text)).toEqual(counts)
  })

  it.each(['', '2(x', '(x2)', '2,', '-1', '1(x999999999)', '9'.repeat(400)])(
    'does not take "%s" for counts',
    (text) => {
      expect(expandCounts(text)).toBeUndefined()
    },
  )
})
