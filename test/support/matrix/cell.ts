/** How the processes of a run are started. */
export type LauncherName = 'slurm' | 'local' | 'openmpi' | 'mpich'

/** What the processes of a run share a directory on. */
export type FilesystemName = 'tmpfs' | 'ext4' | 'overlay' | 'cached' | 'glusterfs' | 'nfs'

/** In what a cell runs; what is not said is this machine's own. */
export interface Surroundings {
  /** Node. */
  readonly node?: string
  /** A Python with Dask. */
  readonly python?: string
  /** An unpacked Debian, whose /usr and /etc all of the cell sees: its launcher, its Python, its Dask. */
  readonly system?: string
  /** Whether that Debian's `linux.uml` is the kernel: a Linux that runs as a program, and has what this machine's lacks. */
  readonly guest?: boolean
}

/** One combination of what a run meets. */
export interface Cell {
  readonly name: string
  /** Of which axis it is one value. */
  readonly axis: 'base' | 'Dask and Python' | 'Node' | 'filesystem' | 'launcher' | 'pair'
  readonly launcher: LauncherName
  readonly filesystem: FilesystemName
  /** Variables that are set in it, besides. */
  readonly env?: Readonly<Record<string, string>>
  /**
   * Finds what it needs of the machine, or gets it.
   *
   * @throws Error where it is not to be had here, with the reason.
   */
  readonly find?: (machine: Machine) => Surroundings
  /** What is known not to work, by the name of a step: a sentence that says whose limit it is. */
  readonly limits?: Readonly<Record<string, string>>
}

/** What finds things on this machine, or gets them. Each throws where it cannot, and says why. */
export interface Machine {
  /** A Python that has Dask. */
  dask: () => string
  /** Makes sure that this machine's own Slurm can run. */
  slurm: () => void
  /** The same for its MPI launchers. */
  mpi: () => void
  /** The newest Node of a line, such as `22`. */
  node: (line: string) => string
  /** Directory of an unpacked Debian, by its suite. */
  debian: (suite: string) => string
  /** Directory of an unpacked Debian that has a `linux.uml` and an NFS. */
  guest: () => string
  /** The Python of an unpacked Debian. */
  pythonOf: (system: string) => string
  /** A Python of this version with the Dask of an unpacked Debian. */
  python: (version: string, system: string) => string
  /** Makes sure that a program is there, which is in a package of Debian. */
  program: (path: string, debianPackage: string) => void
  /** The commands that put an unpacked Debian in the place of this machine's /usr and /etc. */
  mount: (system: string) => string
}

/** What the process of a cell is told. */
export interface Order extends Pick<Cell, 'launcher' | 'filesystem' | 'env'> {
  /** How many clean runs. */
  readonly clean: number
  /** An empty directory on a disk, which goes with the cell. */
  readonly scratch: string
  /** Where to write a {@link Report}. */
  readonly report: string
}

/** How a step went. */
export interface StepResult {
  readonly name: string
  readonly seconds: number
  /** What does not hold. */
  readonly problem?: string
}

/** The versions that a cell really ran with. */
export interface Versions {
  readonly dask: string
  readonly python: string
  readonly node: string
  readonly launcher: string
  readonly filesystem: string
}

/** What the process of a cell says of it. */
export interface Report {
  readonly steps: readonly StepResult[]
  readonly versions?: Versions
  /** Why it cannot run here. */
  readonly missing?: string
}

/** A report with what the command knows. */
export interface CellResult extends Report {
  readonly cell: string
  /** Of the program, by git. */
  readonly commit: string
  /** By its text. */
  readonly build: string
  /** When it ended, as ISO 8601 has it. */
  readonly date: string
  readonly seconds: number
  readonly output: string
}

/** What a cell needs is not to be had on this machine. */
export class Missing extends Error {
  override readonly name = 'Missing'
}
