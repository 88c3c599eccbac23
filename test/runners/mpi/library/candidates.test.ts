import { expect, test } from 'vitest'
import { libraryCandidates } from '../../../../src/runners/mpi/library/candidates.ts'

test('tries the family first whose launcher has left its variables', () => {
  expect(libraryCandidates({ OMPI_COMM_WORLD_RANK: '0', PMIX_RANK: '0' }, 'linux')[0]).toBe('libmpi.so.40')
  expect(libraryCandidates({ PMI_RANK: '0' }, 'linux').slice(0, 2)).toEqual(['libmpi.so.12', 'libmpich.so.12'])
})

test('tries the installation that the environment names before the loader', () => {
  const [first] = libraryCandidates({ PMI_RANK: '0', I_MPI_ROOT: '/opt/impi' }, 'linux')
  expect(first).toBe('/opt/impi/lib/release/libmpi.so.12')
})

test('tries the standard ABI where the family has no library, by the name that MPI 5 gives it first', () => {
  const candidates = libraryCandidates({ PMI_RANK: '0' }, 'linux')
  expect(candidates.slice(2, 4)).toEqual(['libmpi_abi.so.1', 'libmpi_abi.so.0'])
})

test('knows the names of another system', () => {
  expect(libraryCandidates({ OMPI_COMM_WORLD_RANK: '0' }, 'darwin')[0]).toBe('libmpi.40.dylib')
})
