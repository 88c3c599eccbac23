/** The ways in which MPI libraries represent what programs see of them. */
export type Family = 'Open MPI' | 'MPICH' | 'the standard ABI'

/** How one family of libraries is called. */
export interface Abi {
  readonly family: Family
  /** C type of the handles of communicators and data types. */
  readonly handle: 'void *' | 'int'
  /** `MPI_COMM_WORLD`: its value, or the name of the object that it is the address of. */
  readonly world: number | string
  /** `MPI_BYTE`, likewise. */
  readonly byte: number | string
}

/** Handles are the addresses of exported objects. (mpi.h of Open MPI 1.7 to 5.) */
const openMpi: Abi = {
  family: 'Open MPI',
  handle: 'void *',
  world: 'ompi_mpi_comm_world',
  byte: 'ompi_mpi_byte',
}

/** Handles are integers; also Intel MPI, MVAPICH and Cray MPICH. (https://www.mpich.org/abi/) */
const mpich: Abi = { family: 'MPICH', handle: 'int', world: 0x44000000, byte: 0x4c00010d }

/** Handles are small constants of pointer type. (MPI 5.0, chapter "Application Binary Interface") */
const standard: Abi = { family: 'the standard ABI', handle: 'void *', world: 0x101, byte: 0x247 }

/** What a library shows of itself before it is initialised. */
export interface LibrarySigns {
  /** Name or path by which it was loaded. */
  readonly name: string
  /** Whether it exports a symbol of that name. */
  readonly has: (symbol: string) => boolean
  /** What `MPI_Get_library_version` says. */
  readonly version: () => string
}

/** How to call a library, or undefined where it is none that we know how to call. */
export function recognise({ name, has, version }: LibrarySigns): Abi | undefined {
  if (!has('MPI_Ibcast') || !has('MPI_Get_library_version')) return undefined
  // A library of the standard ABI may bring along the symbols of the one it stands on. Debian's have that one's name behind theirs.
  if (/(^|\/)libmpi_abi[._]/.test(name)) return standard
  if (has('ompi_mpi_comm_world')) return openMpi
  return /MPICH|Intel\(R\) MPI|MVAPICH|ParaStation/i.test(version()) ? mpich : undefined
}
