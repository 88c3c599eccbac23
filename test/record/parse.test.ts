import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { formatSchedulerFile, parseSchedulerFile } from '../../src/record/parse.ts'

const captures = join(import.meta.dirname, '..', '..', 'fixtures', 'dask')
const names = readdirSync(captures).filter((name) => /^scheduler-file-.*\.json$/.test(name))
const read = (name: string): string => readFileSync(join(captures, name), 'utf8')

test('there is a real file of each of three versions of Dask', () => {
  expect(names).toHaveLength(3)
})

test.each(names)('%s is valid, and written back as it was', (name) => {
  const parsed = parseSchedulerFile(read(name))
  if (parsed.kind !== 'valid') throw new Error(parsed.kind)
  expect(JSON.parse(formatSchedulerFile(parsed.file))).toEqual(JSON.parse(read(name)))
})

test.each(names)('%s with our record keeps unknown keys at every level', (name) => {
  const file = {
    ...(JSON.parse(read(name)) as object),
    services: { dashboard: 1, later: { port: 2 } },
    workers: { 'tcp://127.0.0.1:3': { later: true } },
    later: { deep: [1, { x: null }] },
    dask_hpc_runner: {
      version: 1,
      run_key: 'sim-7.0-r0',
      nonce: 'n',
      host: 'node0',
      pid: 1,
      control: { addresses: ['10.0.0.1'], port: 5, network: 'b', later: [4] },
      secret: 's',
      n_workers: 2,
      later: { a: 1 },
    },
  }
  const parsed = parseSchedulerFile(JSON.stringify(file))
  if (parsed.kind !== 'valid') throw new Error(parsed.kind)
  expect(JSON.parse(formatSchedulerFile(parsed.file))).toEqual(file)
})

test.each(names)('%s cut off anywhere is empty or truncated', (name) => {
  const text = read(name).trimEnd()
  for (let length = 0; length < text.length; length++)
    expect(parseSchedulerFile(text.slice(0, length)).kind, `${length} characters`).toBe(
      length === 0 ? 'empty' : 'truncated',
    )
})

test.each(['', ' \n\t'])('%j is empty', (text) => {
  expect(parseSchedulerFile(text).kind).toBe('empty')
})

test.each([
  'from distributed import Client\n',
  '#!/usr/bin/env python3\n',
  '{"name": "experiment", "results": [1, 2',
  '{"type": "FeatureCollection", "features": [',
  '{"Type": "Scheduler"',
  '"type"',
  '[1, 2]',
  'null',
  '{}',
  '{"type": "Scheduler", "id": "Scheduler-1"}',
  '{"type": "Scheduler", "id": "Scheduler-1", "address": "nowhere"}',
  '{"type": "Worker", "id": "Worker-1", "address": "tcp://127.0.0.1:1"}',
  '\0\0\0\0',
])('%j is foreign', (text) => {
  expect(parseSchedulerFile(text)).toMatchObject({ kind: 'foreign' })
})

test('a foreign file is told by the part that is wrong', () => {
  expect(parseSchedulerFile('{"type": "Scheduler", "id": "Scheduler-1"}')).toEqual({
    kind: 'foreign',
    why: 'it is JSON, but no Dask scheduler file: its "address" is not as Dask writes it',
  })
})

test('a name or an address that nobody would want to see all of is none', () => {
  const file = JSON.parse(read(names[0] ?? '')) as Record<string, unknown>
  const owner = {
    ...{ version: 1, run_key: 'k', nonce: 'n', host: 'node0', pid: 1, secret: 's', n_workers: 2 },
    control: { addresses: ['10.0.0.1'], port: 5, network: 'b' },
  }
  const kindOf = (changes: object): string =>
    parseSchedulerFile(JSON.stringify({ ...file, dask_hpc_runner: owner, ...changes })).kind
  expect(kindOf({})).toBe('valid')
  const long = 'a'.repeat(1_025)
  const changed = ['run_key', 'nonce', 'host', 'secret'].map((key) => ({ dask_hpc_runner: { ...owner, [key]: long } }))
  const addresses = Array.from({ length: 1_025 }, () => '10.0.0.1')
  const wrong = [
    ...changed,
    { id: long },
    { address: `tcp://${long}:1` },
    { dask_hpc_runner: { ...owner, control: { ...owner.control, addresses } } },
  ]
  expect(wrong.map(kindOf)).toEqual(wrong.map(() => 'foreign'))
})
