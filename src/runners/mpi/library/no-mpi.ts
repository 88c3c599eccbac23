/** There is no MPI library to be had here; the message says why, and what to do. */
export class NoMpiError extends Error {
  override readonly name = 'NoMpiError'
}
