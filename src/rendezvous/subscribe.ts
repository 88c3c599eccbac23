import { watch } from 'node:fs'

/** What wants to know that something may have changed in a directory. */
export interface Subscriber {
  /** Something may have changed. */
  readonly onHint: () => void
  /** No more hints come. May be called more than once. */
  readonly onError: (error: unknown) => void
}

/**
 * Hints about changes of a directory from the kernel, from now on; gives the function that ends them.
 *
 * @throws where the system gives no events, as with ENOSPC where all watches of the user are taken.
 */
export function subscribe(directory: string, { onHint, onError }: Subscriber): () => void {
  const watcher = watch(directory).on('change', onHint).on('error', onError)
  return () => {
    watcher.close()
  }
}
