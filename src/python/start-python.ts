import { Child } from '../process/child.ts'
import type { OnLines } from '../process/output.ts'
import type { Reaper } from '../process/reaper.ts'
import { loadedProgram, pythonEnvironment, pythonLoader } from './loader.ts'

/** How a Python of ours is started. */
export interface PythonOptions {
  /** Path of the interpreter. */
  readonly python: string
  readonly env: NodeJS.ProcessEnv
  readonly reaper: Reaper
  /** Called with the lines that it prints. */
  readonly onLines: OnLines
  /** Whether nothing is passed on of what a Python says that turns out to have no Dask. @default false */
  readonly quiet?: boolean
}

/** What it runs. */
export interface PythonProgram {
  /** Seen in process listings, such as `worker`, `2`. */
  readonly title: readonly string[]
  /** Its text, which finds our end of a pipe as `pipe`. */
  readonly program: string
  /** Pipes beside that one. @default 0 */
  readonly channels?: number
}

/** Starts a Python. `release` passes on what it has printed so far, and from then on everything: it has Dask. */
export function startPython(
  { python, env, reaper, onLines, quiet = false }: PythonOptions,
  { title, program, channels = 0 }: PythonProgram,
): { readonly child: Child; readonly release: () => void } {
  let held: (() => void)[] | undefined = quiet ? [] : undefined
  const child = new Child({
    command: [python, '-u', '-c', pythonLoader, 'dask-hpc-runner', ...title],
    env: pythonEnvironment(env),
    reaper,
    output: (lines, stream) => {
      if (held === undefined) return onLines(lines, stream)
      held.push(() => {
        void onLines(lines, stream)
      })
      return undefined
    },
    pipe: true,
    channels,
    shielded: true,
  })
  child.pipe?.write(loadedProgram(program))
  const release = (): void => {
    for (const pass of held ?? []) pass()
    held = undefined
  }
  return { child, release }
}
