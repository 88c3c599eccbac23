import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Exit } from '../process/exit.ts'
import type { Reaper } from '../process/reaper.ts'
import type { OnLines } from '../process/output.ts'
import { Supervised } from '../process/supervised.ts'
import { deferred } from '../util/deferred.ts'

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
    this.exited = this.watch(this.#exit.promise, this.passLines({ stdout, stderr }, onLines), reaper)
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
}
