/** Called with a line of a process's output. */
export type OnLine = (line: string, stream: 'stdout' | 'stderr') => void

/** Keeps the lines of a Python that may turn out to have no Dask: then nobody wants them. */
export function holdOutput(onLine: OnLine): { readonly onLine: OnLine; readonly release: () => void } {
  let held: (() => void)[] | undefined = []
  return {
    onLine: (line, stream) => {
      if (held === undefined) onLine(line, stream)
      else
        held.push(() => {
          onLine(line, stream)
        })
    },
    release: () => {
      for (const pass of held ?? []) pass()
      held = undefined
    },
  }
}
