import type { Duplex } from 'node:stream'
import * as z from 'zod/mini'
import type { Child } from '../process/child.ts'
import { ChildOwner } from '../process/child-owner.ts'
import type { Exit } from '../process/exit.ts'
import { parseMessage } from '../process/messages.ts'
import { endFrozen } from '../process/stopped.ts'
import { deferred } from '../util/deferred.ts'
import calls from './client-calls.py'
import installer from './client-installer.py'
import messages from './client-messages.py'
import results from './client-results.py'
import versions from './client-versions.py'
import clientProgram from './client.py'
import { answerOf, lacksDask, type PythonAnswer } from './find-python.ts'
import found from './found.py'
import parent from './parent.py'
import { type PythonOptions, startPython } from './start-python.ts'
import tls from './tls.py'

const program = [found, parent, tls, messages, installer, results, versions, calls, clientProgram].join('\n')
/** In tracebacks it has the name by which tasks-failures.py knows what is ours. A JSON string is a Python string. */
const named = `exec(compile(${JSON.stringify(program)}, "<dask-hpc-runner>", "exec"))`

/** What the helper process is started with. */
export interface ClientProcessOptions extends PythonOptions {
  /** How long it may stay stopped before it is killed. In milliseconds. */
  readonly lostAfter: number
}

/** The first that it says, as a line. */
const reportSchema = z.object({ report: z.literal('python'), executable: z.string(), dask: z.boolean() })

/**
 * The process that holds Dask's own client for the TypeScript one. It loads Dask at once and waits
 * for its orders on the pipe; it dies when this process does.
 */
export class ClientProcess extends ChildOwner<Child> {
  readonly #found = deferred<PythonAnswer>()
  /** What has come of its report; undefined once that is there. */
  #report: Buffer | undefined = Buffer.alloc(0)
  #onData: (chunk: Uint8Array) => void = () => undefined

  constructor(options: ClientProcessOptions) {
    const { child, release } = startPython(options, { title: ['client'], program: named })
    super(child)
    void this.#found.promise.then(({ executable }) => {
      if (executable !== undefined) release()
    })
    this.child.pipe?.on('data', (chunk: Buffer) => {
      if (this.#report === undefined) this.#onData(chunk)
      else this.#readReport(Buffer.concat([this.#report, chunk]))
    })
    endFrozen(this.child, options.lostAfter)
    this.unref()
  }

  /** Whether its Python has Dask, within `timeout` milliseconds: as `findPython` asks. */
  async answer(timeout: number): Promise<PythonAnswer> {
    return await answerOf(this.child, this.#found.promise, timeout)
  }

  /** Calls `listener` with what it answers and reports over its pipe. */
  onData(listener: (chunk: Uint8Array) => void): void {
    this.#onData = listener
  }

  /** To write to. Undefined where it could not be started. */
  get pipe(): Duplex | undefined {
    return this.child.pipe
  }

  /** Kills it where it has not ended after `grace` milliseconds. */
  async stop(grace: number): Promise<Exit> {
    return await this.child.end(() => this.pipe?.end(), grace)
  }

  #readReport(text: Buffer): void {
    // The line comes after an empty one.
    const end = text.indexOf('\n', 1)
    this.#report = end === -1 ? text : undefined
    if (end === -1) return
    const report = parseMessage(reportSchema, text.toString('utf8', 0, end).trim())
    this.#found.resolve(report?.dask === true ? { executable: report.executable } : lacksDask)
    if (end + 1 < text.length) this.#onData(text.subarray(end + 1))
  }
}
