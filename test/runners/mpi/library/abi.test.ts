import { expect, test } from 'vitest'
import { type LibrarySigns, recognise } from '../../../../src/runners/mpi/library/abi.ts'

const library = (name: string, version: string, ...symbols: string[]): LibrarySigns => {
  const all = ['MPI_Ibcast', 'MPI_Get_library_version', ...symbols]
  return { name, has: (symbol) => all.includes(symbol), version: () => version }
}

test('knows Open MPI by its objects', () => {
  expect(recognise(library('libmpi.so', 'Open MPI v4.1.4', 'ompi_mpi_comm_world'))?.family).toBe('Open MPI')
})

test.for(['MPICH Version:\t4.0.2', 'Intel(R) MPI Library 2021.9 for Linux* OS', 'MVAPICH2 Version      :\t2.3.7'])(
  'knows MPICH and its like by what they say: %s',
  (version) => {
    expect(recognise(library('libmpi.so.12', version))).toMatchObject({ handle: 'int', world: 0x44000000 })
  },
)

test.for(['/opt/mpi/lib/libmpi_abi.so.0', 'libmpi_abi.so.1', '/usr/lib/libmpi_abi_mpich.so.1.0.0'])(
  'knows the standard ABI by its name, whatever it stands on: %s',
  (name) => {
    const signs = library(name, 'Open MPI v6.0.0', 'ompi_mpi_comm_world')
    expect(recognise(signs)).toMatchObject({ handle: 'void *', world: 0x101 })
  },
)

test('calls no library that it does not know', () => {
  expect(recognise(library('libmpi.so', 'HPE MPT 2.30'))).toBeUndefined()
  expect(recognise({ name: 'libc.so.6', has: () => false, version: () => 'MPICH' })).toBeUndefined()
})
