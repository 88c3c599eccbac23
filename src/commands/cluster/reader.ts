import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import * as z from 'zod/mini'
import { messageOf } from '../../errors.ts'
import { parseMessage } from '../../process/messages.ts'
import { type Deferred, deferred } from '../../util/deferred.ts'
import { forOwnProcess } from '../../util/own-process.ts'
import type { Contents, Question } from './read-path.ts'
import program from './reader-program.ts?program'

const why = z.string()
const answerSchema = z.object({
  asked: z.string(),
  answer: z.union([
    z.object({ kind: z.literal('text'), text: z.string(), owner: z.optional(z.string()) }),
    z.object({
      kind: z.literal('missing'),
      why,
      claimed: z.optional(z.boolean()),
      runs: z.optional(z.array(z.string())),
    }),
    z.object({ kind: z.enum(['silent', 'foreign']), why }),
  ]),
})

let reader: Reader | undefined

/**
 * Reads the file at an absolute path in a process of its own. A process that has touched a filesystem
 * which hangs cannot exit before that answers, so it is another one that touches it, and that is killed
 * with us. Where the filesystem hangs the promise does not settle.
 */
export async function readApart(path: string): Promise<Contents> {
  return await ask({ what: 'file', path })
}

/** {@link readStartingRun} likewise. */
export async function readStartingRunApart(path: string): Promise<Contents> {
  return await ask({ what: 'starting run', path })
}

/** {@link readOutcomeOf} likewise. */
export async function readOutcomeApart(path: string, runKey: string): Promise<Contents> {
  return await ask({ what: 'outcome', path, runKey })
}

async function ask(question: Question): Promise<Contents> {
  reader ??= new Reader(() => {
    reader = undefined
  })
  return await reader.ask(question)
}

/** The process that reads. It ends when this one does, or when nobody has asked it for a while. */
class Reader {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #asked = new Map<string, Deferred<Contents>>()

  constructor(onEnd: () => void) {
    this.#child = spawn(process.execPath, ['-e', program], {
      cwd: '/',
      env: forOwnProcess(process.env),
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const { stdin, stdout } = this.#child
    const end = (why: string): void => {
      onEnd()
      for (const each of this.#asked.values())
        each.resolve({ kind: 'silent', why: `it cannot be read (the process that reads it ${why})` })
      this.#asked.clear()
    }
    this.#child.on('error', (error) => {
      end(`cannot be started: ${messageOf(error)}`)
    })
    this.#child.on('exit', () => {
      end('has ended')
    })
    // What is written to one that has just ended is answered by its end.
    stdin.on('error', () => undefined)
    // Something else may print there too, such as a program of NODE_OPTIONS.
    createInterface({ input: stdout }).on('line', (line) => {
      const message = parseMessage(answerSchema, line)
      if (message === undefined) return
      const { asked, answer } = message
      this.#asked.get(asked)?.resolve(answer as Contents)
      this.#asked.delete(asked)
    })
    this.#child.unref()
    for (const pipe of [stdin, stdout]) (pipe as Socket).unref()
  }

  /** Each path is read by one look at a time: whoever asks meanwhile gets what that one sees. */
  async ask(question: Question): Promise<Contents> {
    const line = JSON.stringify(question)
    let asked = this.#asked.get(line)
    if (asked === undefined) {
      asked = deferred()
      this.#asked.set(line, asked)
      this.#child.stdin.write(`${line}\n`)
    }
    return await asked.promise
  }
}
