import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { outputTimeout } from '../process/child.ts'
import type { Exit } from '../process/exit.ts'
import type { Reaper } from '../process/reaper.ts'
import { forLines, type OnLines } from '../process/output.ts'
import { Supervised } from '../process/supervised.ts'
import { deferred } from '../util/deferred.ts'
import { settledWithin } from '../util/wait.ts'

/** Our ends of a forked process's pipes: its orders and reports, its standard output and error. */
export type Channels = readonly [pipe: Duplex, stdout: Duplex, stderr: Duplex]

/** A process that another child of ours has forked, and of whose end that one tells. */
export class ForkedChild extends Supervised {
  readonly pipe: Duplex
  readonly exited: Promise<Exit>
  readonly #channels: Channels
  readonly #reaper: Reaper
  readonly #exit = deferred<Omit<Exit, 'forced'>>()
  #pid: number | undefined

  constructor(channels: Channels, reaper: Reaper, onLines: OnLines) {
    super()
    const [pipe, stdout, stderr] = channels
    this.pipe = pipe
    this.#channels = channels
    this.#reaper = reaper
    for (const channel of channels) channel.on('error', () => undefined)
    const streams = { stdout, stderr } as const
    const closed = (['stdout', 'stderr'] as const).map(async (name) => {
      const stream = streams[name]
      forLines(stream, (lines) => {
        this.lines.add(lines)
        return onLines(lines, name)
      })
      await new Promise((resolve) => stream.once('close', resolve))
    })
    this.exited = this.#watch(Promise.all(closed))
  }

  override get pid(): number | undefined {
    return this.#pid
  }

  override unref(): void {
    for (const channel of this.#channels) if (channel instanceof Socket) channel.unref()
  }

  /** It is there. */
  came(pid: number): void {
    this.#pid = pid
    this.#reaper.addGroup(pid)
    if (this.forced) this.signal('SIGKILL', 'group')
  }

  /** It has ended, alone or with the process that had forked it. */
  went(exit: Omit<Exit, 'forced'>): void {
    this.#exit.resolve(exit)
  }

  async #watch(output: Promise<unknown>): Promise<Exit> {
    const explained = this.explain(this.finish(await this.#exit.promise))
    if (this.#pid !== undefined) this.#reaper.removeGroup(this.#pid)
    await settledWithin(output, outputTimeout)
    return await explained
  }
}
