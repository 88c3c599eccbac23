import heartbeats from './heartbeats.py'
import ownModules from './own-modules.py'
import records from './records.py'

/**
 * The first words of everything that we have a Python execute by `-c`: nothing is imported from the working directory, which
 * `-c` puts first on the module path. (`sys` is a part of the interpreter; `-P` would do the same from Python 3.11 on.)
 */
export const withoutDirectory = "import sys;''in sys.path and sys.path.remove('');"

/**
 * The environment of a Python of ours: `PYTHONPATH` without the empty entries that `export PYTHONPATH=$HOME/lib:$PYTHONPATH` leaves
 * where it was not set. They mean the working directory, before Python's own modules.
 */
export function pythonEnvironment<E extends Readonly<NodeJS.ProcessEnv>>(env: E): E {
  const entries = env.PYTHONPATH?.split(':')
  return entries?.includes('') === true
    ? { ...env, PYTHONPATH: entries.filter((entry) => entry !== '').join(':') }
    : env
}

/** Python that reads its program from the pipe, so that a process listing shows a short command. */
export const pythonLoader =
  withoutDirectory +
  'import socket;pipe=socket.socket(fileno=3);W=socket.MSG_WAITALL;exec(pipe.recv(int(pipe.recv(8,W)),W).decode())'

/**
 * A program as {@link pythonLoader} reads it. It has texts for when it comes to Dask: OWN_MODULES, which is own-modules.py, RECORDS,
 * which is records.py, HEARTBEATS, which is heartbeats.py, and WITHOUT_DIRECTORY, for the InterpreterPool that it starts by `-c` itself.
 */
export function loadedProgram(program: string): Buffer {
  // A JSON string is a Python string.
  const texts = {
    OWN_MODULES: ownModules,
    RECORDS: records,
    HEARTBEATS: heartbeats,
    WITHOUT_DIRECTORY: withoutDirectory,
  }
  const lines = Object.entries(texts).map(([name, text]) => `${name} = ${JSON.stringify(text)}\n`)
  const all = Buffer.from(lines.join('') + program)
  return Buffer.concat([Buffer.from(String(all.length).padStart(8)), all])
}
