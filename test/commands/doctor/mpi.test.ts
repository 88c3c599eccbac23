import { expect, test } from 'vitest'
import { checkMpi, type MpiFacts } from '../../../src/commands/doctor/mpi.ts'
import { identifyMpi } from '../../../src/runners/mpi/identify-mpi.ts'

const identity = identifyMpi({ PMI_RANK: '1', PMI_SIZE: '4' }, { host: 'n0' })
const met: MpiFacts = {
  by: 'broadcast',
  library: 'libmpich.so.12 (MPICH Version: 4.0.2)',
  family: 'MPICH',
  world: { rank: 1, size: 4 },
  failure: undefined,
}
const levels = (facts: MpiFacts): string[] => checkMpi(facts, identity).map(({ level }) => level)

test('ranks that have met are in order', () => {
  expect(levels(met)).toEqual(['ok', 'ok'])
})

test('a world that is not the launcher is a problem, and so are ranks that do not meet', () => {
  expect(levels({ ...met, world: { rank: 0, size: 1 } })).toEqual(['ok', 'problem'])
  expect(levels({ ...met, world: undefined, failure: 'MPI_Init did not return' })).toEqual(['ok', 'problem'])
})

test('the file way is a note where the launcher tells runs apart, and else a problem', () => {
  const file = { by: 'file', why: 'the package koffi is not installed; install it' } as const
  expect(levels({ ...file, isUnique: true })).toEqual(['note'])
  expect(levels({ ...file, isUnique: false })).toEqual(['note', 'problem'])
})
