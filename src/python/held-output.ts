import type { OnLines } from '../process/output.ts'

/** Keeps the lines of a Python that may turn out to have no Dask: then nobody wants them. */
export function holdOutput(onLines: OnLines): { readonly onLines: OnLines; readonly release: () => void } {
  let held: (() => void)[] | undefined = []
  return {
    onLines: (lines, stream) => {
      if (held === undefined) return onLines(lines, stream)
      held.push(() => {
        void onLines(lines, stream)
      })
      return undefined
    },
    release: () => {
      for (const pass of held ?? []) pass()
      held = undefined
    },
  }
}
