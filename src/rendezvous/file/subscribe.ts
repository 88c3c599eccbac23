/** What wants to know that something may have changed in a directory. */
export interface Subscriber {
  /** Something may have changed. */
  readonly onHint: () => void
  /** No more hints come. May be called more than once. */
  readonly onError: (error: unknown) => void
}

/**
 * Hints about changes of a directory from the kernel, from the time at which this resolves; gives the function that
 * ends them. Where the system gives no events (ENOSPC: all watches of the user are taken), `onError` is called.
 */
export async function subscribe(directory: string, { onHint, onError }: Subscriber): Promise<() => void> {
  const { watch } = await import('chokidar')
  const watcher = watch(directory, { depth: 0, ignoreInitial: true, followSymlinks: false, atomic: false })
  await new Promise<void>((resolve) => {
    watcher
      .on('all', onHint)
      .on('error', (error) => {
        onError(error)
        resolve()
      })
      .on('ready', resolve)
  })
  return () => {
    void watcher.close()
  }
}
