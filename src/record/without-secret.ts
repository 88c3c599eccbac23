import type { PublishedFile } from './scheduler-file.ts'

/** The same file; what prints it, as `console.log` and `JSON.stringify` do, does not show the secret of the run. */
export function withoutShownSecret(file: PublishedFile): PublishedFile {
  const { secret, ...shown } = file.dask_hpc_runner
  const record = Object.defineProperty(shown, 'secret', { value: secret, enumerable: false })
  return { ...file, dask_hpc_runner: record as PublishedFile['dask_hpc_runner'] }
}
