/** What a run needs of an MPI library. All of it is collective: every rank calls the same in the same order. */
export interface Mpi {
  /** This process's number in the world, from 0. */
  readonly rank: number
  /** How many processes the world has. */
  readonly size: number
  /** The bytes that rank 0 gives, in every rank. Waits without blocking; the others pass nothing. */
  broadcast(bytes?: Uint8Array): Promise<Uint8Array>
  /** Resolves when every rank has called it. Waits without blocking. */
  barrier(): Promise<void>
  /** Ends all ranks at once, with `status` for the launcher. May not return. */
  abort(status: number): void
  /** Leaves the world. Blocks until the other ranks do so too, with some libraries. */
  finalize(): void
}
