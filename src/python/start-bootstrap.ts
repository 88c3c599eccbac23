import { Child } from '../process/child.ts'
import type { OnLines } from '../process/output.ts'
import type { Reaper } from '../process/reaper.ts'
import { BootstrapLink } from './bootstrap-link.ts'
import bootstrap from './bootstrap.py'
import configurationFiles from './configuration-files.py'
import fork from './fork.py'
import found from './found.py'
import { holdOutput } from './held-output.ts'
import load from './load.py'
import { loadedProgram, pythonEnvironment, pythonLoader } from './loader.ts'
import port from './port.py'
import tls from './tls.py'
import values from './values.py'

const program = [found, configurationFiles, load, tls, values, fork, port, bootstrap].join('\n')

/** How a Python that runs bootstrap.py is started. */
export interface BootstrapOptions {
  /** Path of the interpreter. */
  readonly python: string
  readonly env: NodeJS.ProcessEnv
  readonly reaper: Reaper
  readonly onLines: OnLines
  /** Which records of Dask's log are marked as quiet. */
  readonly log: DaskLog
  /** Whether nothing is passed on of what a Python says that turns out to have no Dask. @default false */
  readonly quiet?: boolean
}

/** From which level on Dask's log is for the console, and whether the user has said so: see records.py. */
export type DaskLog = readonly [level: string, isGiven: boolean]

/** A Python that runs bootstrap.py, and the conversation with it. */
export interface Bootstrap {
  readonly child: Child
  readonly link: BootstrapLink
}

/** What is started, beside the Python. */
export interface BootstrapPurpose {
  /** Seen in process listings, such as `worker`, `2`. */
  readonly title: readonly string[]
  /** Pipes for workers that it forks. @default 0 */
  readonly channels?: number
}

/** Said once of each. */
export const otherWriter =
  'warning: a task has written to file descriptor 3, which is the pipe to dask-hpc-runner: that is ignored'

/** Starts a Python that runs bootstrap.py. */
export function startBootstrap(options: BootstrapOptions, { title, channels = 0 }: BootstrapPurpose): Bootstrap {
  const { onLines, release } = holdOutput(options.onLines)
  if (options.quiet !== true) release()
  const child = new Child({
    command: [options.python, '-u', '-c', pythonLoader, 'dask-hpc-runner', ...title],
    env: pythonEnvironment(options.env),
    reaper: options.reaper,
    output: onLines,
    pipe: true,
    channels,
    shielded: true,
  })
  const link = new BootstrapLink(child, () => {
    void options.onLines([otherWriter], 'stderr')
  })
  void link.first('python').then(({ dask }) => {
    if (dask) release()
  })
  child.pipe?.write(loadedProgram(program))
  return { child, link }
}
