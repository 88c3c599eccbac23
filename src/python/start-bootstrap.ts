import type { Child } from '../process/child.ts'
import { BootstrapLink } from './bootstrap-link.ts'
import bootstrap from './bootstrap.py'
import component from './component.py'
import configurationFiles from './configuration-files.py'
import fork from './fork.py'
import found from './found.py'
import load from './load.py'
import parent from './parent.py'
import port from './port.py'
import { type PythonOptions, type PythonProgram, startPython } from './start-python.ts'
import tls from './tls.py'
import values from './values.py'

const files = {
  found,
  parent,
  'configuration-files': configurationFiles,
  load,
  tls,
  values,
  fork,
  port,
  component,
  bootstrap,
}
/** One after the other, each by its own name in tracebacks. A JSON string is a Python string. */
const program = Object.entries(files)
  .map(([name, text]) => `exec(compile(${JSON.stringify(text)}, "<dask-hpc-runner ${name}.py>", "exec"))`)
  .join('\n')

/** How a Python that runs bootstrap.py is started. */
export interface BootstrapOptions extends PythonOptions {
  /** Which records of Dask's log are marked as quiet. */
  readonly log: DaskLog
}

/** From which level on Dask's log is for the console, and whether the user has said so: see records.py. */
export type DaskLog = readonly [level: string, isGiven: boolean]

/** A Python that runs bootstrap.py, and the conversation with it. */
export interface Bootstrap {
  readonly child: Child
  readonly link: BootstrapLink
}

/** Said once of each. */
export const otherWriter =
  'warning: a task has written to file descriptor 3, which is the pipe to dask-hpc-runner: that is ignored'

/** Starts a Python that runs bootstrap.py. */
export function startBootstrap(options: BootstrapOptions, what: Omit<PythonProgram, 'program'>): Bootstrap {
  const { child, release } = startPython(options, { ...what, program })
  const link = new BootstrapLink(child, () => {
    void options.onLines([otherWriter], 'stderr')
  })
  void link.first('python').then(({ dask }) => {
    if (dask) release()
  })
  return { child, link }
}
