import { type Child, firstChannel } from '../process/child.ts'
import { type Exit, formatExit } from '../process/exit.ts'
import { BootstrapLink } from './bootstrap-link.ts'
import { DaskProcess } from './dask-process.ts'
import type { PythonAnswer } from './find-python.ts'
import { type Channels, ForkedChild } from './forked-child.ts'
import { type BootstrapOptions, otherWriter, startBootstrap } from './start-bootstrap.ts'

/** Orders and reports, standard output, standard error. */
const channelsOfOne = 3

/**
 * A Python that imports Dask once and is forked for each of several workers, while it has one thread.
 * They lead process groups of their own, and die with it. (src/python/fork.py)
 */
export class ForkServer {
  readonly #child: Child
  readonly #link: BootstrapLink
  readonly #options: BootstrapOptions
  readonly #names: readonly string[]
  readonly #forked = new Map<string, ForkedChild>()
  #hasEnded = false

  /** @param names those of the workers, such as `2-0`; each can be forked once */
  constructor(options: BootstrapOptions, names: readonly string[]) {
    this.#options = options
    this.#names = names
    const { child, link } = startBootstrap(options, {
      title: ['workers', names.join(',')],
      channels: names.length * channelsOfOne,
      forks: {
        onForked: ({ name, pid }) => this.#forked.get(name)?.came(pid),
        onExited: ({ name, status, signal }) =>
          this.#forked.get(name)?.went({ status, signal: signal as NodeJS.Signals | null }),
      },
    })
    this.#child = child
    this.#link = link
    for (const channel of child.channels) channel.on('error', () => undefined)
    const channels = names.flatMap((name) => this.#descriptorsOf(name))
    this.#link.order({ order: 'load', component: 'workers', channels, log: options.log })
    void this.#child.exited.then((exit) => {
      this.#hasEnded = true
      // It has taken them along.
      for (const child of this.#forked.values()) child.went({ status: exit.status, signal: exit.signal ?? 'SIGKILL' })
    })
  }

  /** Whether its Python has Dask, within `timeout` milliseconds: as `findPython` asks. */
  async answer(timeout: number): Promise<PythonAnswer> {
    return await this.#link.answer(timeout)
  }

  /** Why it cannot fork, once it has imported Dask; undefined where it can. */
  async obstacle(): Promise<string | undefined> {
    return await Promise.race([
      this.#link.loaded.then(({ pid, threads }) => {
        // What a container calls its processes means others here.
        if (pid !== this.pid) return 'their Python runs inside of something else'
        return threads === 1 ? undefined : `their Python has ${threads ?? 'an unknown number of'} threads`
      }),
      this.#child.exited.then((exit) => `their Python ${formatExit(exit)}`),
    ])
  }

  /** The worker `name`, forked. Undefined where that was done before, or cannot be done: it has to be started alone. */
  fork(name: string, onLines: BootstrapOptions['onLines']): DaskProcess | undefined {
    const index = this.#names.indexOf(name)
    if (this.#hasEnded || index === -1 || this.#forked.has(name)) return undefined
    const first = index * channelsOfOne
    const channels = this.#child.channels.slice(first, first + channelsOfOne) as unknown as Channels
    const child = new ForkedChild(channels, this.#options.reaper, onLines)
    this.#forked.set(name, child)
    this.#link.order({ order: 'fork', name, channels: this.#descriptorsOf(name) })
    const link = new BootstrapLink(child, undefined, () => {
      void onLines([otherWriter], 'stderr')
    })
    return new DaskProcess(`worker ${name}`, child, link)
  }

  /** Whether it has forked a worker. */
  get isUsed(): boolean {
    return this.#forked.size > 0
  }

  get exited(): Promise<Exit> {
    return this.#child.exited
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Kills it, and with it what it has forked; `why`, unless it did not end in the time it was given. */
  kill(why?: string): void {
    this.#child.kill(why)
  }

  unref(): void {
    this.#child.unref()
  }

  #descriptorsOf(name: string): number[] {
    const first = firstChannel + this.#names.indexOf(name) * channelsOfOne
    return Array.from({ length: channelsOfOne }, (_, i) => first + i)
  }
}
