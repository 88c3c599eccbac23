/** What wants to know that something may have changed in a directory. */
export interface Subscriber {
  /** Something may have changed. */
  readonly onHint: () => void
  /** No more hints come. May be called more than once. */
  readonly onError: (error: unknown) => void
}

/** Hints about changes of a directory from the kernel; resolves with the function that ends them. */
export async function subscribe(directory: string, { onHint, onError }: Subscriber): Promise<() => Promise<void>> {
  // Evaluated only where events are used: polling needs none of it.
  const { watch } = await import('chokidar')
  const watcher = watch(directory, { depth: 0, ignoreInitial: true })
  watcher.on('all', onHint).on('ready', onHint).on('error', onError)
  return async () => {
    await watcher.close()
  }
}
