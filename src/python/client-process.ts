import type { Duplex } from 'node:stream'
import { Child } from '../process/child.ts'
import type { Exit } from '../process/exit.ts'
import type { Reaper } from '../process/reaper.ts'
import { endFrozen } from '../process/stopped.ts'
import calls from './client-calls.py'
import failures from './client-failures.py'
import installer from './client-installer.py'
import messages from './client-messages.py'
import results from './client-results.py'
import versions from './client-versions.py'
import clientProgram from './client.py'
import { loadedProgram, pythonLoader } from './loader.ts'
import tls from './tls.py'

const program = [tls, messages, installer, results, failures, versions, calls, clientProgram].join('\n')
/** In tracebacks it has the name by which tasks-traceback.py knows what is ours. A JSON string is a Python string. */
const named = `exec(compile(${JSON.stringify(program)}, "<dask-hpc-runner>", "exec"))`

/** What the helper process is started with. */
export interface ClientProcessOptions {
  /** Path of the interpreter. */
  readonly python: string
  readonly env: NodeJS.ProcessEnv
  readonly reaper: Reaper
  /** How long it may stay stopped before it is killed. In milliseconds. */
  readonly lostAfter: number
  /** Called with each line that it prints. */
  readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void
}

/**
 * The process that holds Dask's own client for the TypeScript one. It loads Dask at once and waits
 * for its orders on the pipe; it dies when this process does.
 */
export class ClientProcess {
  readonly #child: Child

  constructor(options: ClientProcessOptions) {
    this.#child = new Child({
      command: [options.python, '-u', '-c', pythonLoader, 'dask-hpc-runner', 'client'],
      env: options.env,
      reaper: options.reaper,
      output: options.onLine,
      pipe: true,
      shielded: true,
    })
    this.#child.pipe?.write(loadedProgram(named))
    endFrozen(this.#child, options.lostAfter)
    this.unref()
  }

  /** Undefined where it could not be started. */
  get pipe(): Duplex | undefined {
    return this.#child.pipe
  }

  get exited(): Promise<Exit> {
    return this.#child.exited
  }

  /** The last lines that it printed, oldest first. */
  get tail(): readonly string[] {
    return this.#child.tail
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Kills it where it has not ended after `grace` milliseconds. */
  async stop(grace: number): Promise<Exit> {
    return await this.#child.end(() => this.pipe?.end(), grace)
  }

  kill(): void {
    this.#child.kill()
  }

  /** Does not keep us alive. */
  unref(): void {
    this.#child.unref()
  }
}
