import { expect, test } from 'vitest'
import { parseFound } from '../../src/rendezvous/found.ts'

test('what was found is read as it was told, and nothing else is', () => {
  const found = { kind: 'outcome', outcome: { version: 1, run_key: 'k' } }
  expect(parseFound(JSON.stringify(found))).toEqual(found)
  for (const text of ['', '{', '{"kind": "outcome"}', JSON.stringify({ ...found, kind: 'other' })])
    expect(parseFound(text)).toBeUndefined()
})
