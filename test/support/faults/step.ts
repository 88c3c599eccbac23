import type { ChildProcess } from 'node:child_process'
import { patient, until } from '../until.ts'

/** A started `srun --label`: what its ranks print, and how it ends. */
export class Step {
  /** The exit status, 128+n where signal n ended it. */
  readonly ended: Promise<number>
  #status: number | undefined
  #output = ''

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text))
    this.ended = new Promise((resolve) => {
      child.once('error', () => resolve(127)).once('close', (status) => resolve(status ?? 128))
    })
    void this.ended.then((status) => (this.#status = status))
  }

  /** The exit status, once it has ended. */
  get status(): number | undefined {
    return this.#status
  }

  get output(): string {
    return this.#output
  }

  /** The lines of one rank, on both streams, without the label. */
  linesOf(rank: number): string[] {
    const label = new RegExp(`^ *${rank}: (.*)$`)
    return this.#output.split('\n').flatMap((line) => label.exec(line)?.[1] ?? [])
  }

  /**
   * Waits until it has printed what `pattern` matches.
   *
   * @throws Error where it ends without.
   */
  async expectOutput(pattern: RegExp, patience = patient): Promise<void> {
    await until(
      () => pattern.test(this.#output) || this.#status !== undefined,
      (done) => done,
      { what: `a run prints ${String(pattern)}`, say: () => this.#output.slice(-3000), patience },
    )
    if (!pattern.test(this.#output))
      throw new Error(
        `The run ended with ${this.#status ?? ''} without printing ${String(pattern)}:\n${this.#output.slice(-3000)}`,
      )
  }
}
