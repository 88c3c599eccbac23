import { expect, test } from 'vitest'
import { isTemporaryName, temporaryName } from '../../../src/filesystem/temporary-name.ts'
import { rendezvousPaths, runKeyOf } from '../../../src/rendezvous/file/names.ts'

const name = temporaryName('s.json', { host: 'node0.cluster', pid: 12, random: '0123456789ab' })

test('a temporary name carries host, process and random part', () => {
  expect(name).toBe('.s.json.node0_cluster.12.0123456789ab.tmp')
})

test('a temporary name is known again for its own file only', () => {
  expect(isTemporaryName(name, 's.json')).toBe(true)
  expect(isTemporaryName(name, 's')).toBe(false)
  expect(isTemporaryName(name, 't.json')).toBe(false)
})

test.each(['s.json', '.s.json.tmp', '.s.json.node0.12.tmp', '.s.json.owner', '.s.json.a.1.0123456789ab.tmp~'])(
  '%s is no temporary name',
  (other) => {
    expect(isTemporaryName(other, 's.json')).toBe(false)
  },
)

test('a run directory is known by the whole name of its scheduler file', () => {
  expect(rendezvousPaths('/shared/s.json', 'sim-7.0-r0').runDirectory).toBe('/shared/.s.json.run-sim-7.0-r0')
  expect(runKeyOf('.s.json.run-sim-7.0-r0', 's.json')).toBe('sim-7.0-r0')
  expect(runKeyOf('.s.json.run-', 's.json')).toBeUndefined()
  expect(runKeyOf('.s.json.run-k', 's')).toBeUndefined()
  expect(runKeyOf('s.json.run-k', 's.json')).toBeUndefined()
})
