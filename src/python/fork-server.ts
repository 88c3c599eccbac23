import { type Child, firstChannel } from '../process/child.ts'
import { ChildOwner } from '../process/child-owner.ts'
import { formatExit } from '../process/exit.ts'
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
export class ForkServer extends ChildOwner<Child> {
  readonly #link: BootstrapLink
  readonly #options: BootstrapOptions
  readonly #names: readonly string[]
  readonly #forked = new Map<string, ForkedChild>()
  #hasEnded = false

  /** @param names those of the workers, such as `2-0`; each can be forked once */
  constructor(options: BootstrapOptions, names: readonly string[]) {
    const channels = names.length * channelsOfOne
    const { child, link } = startBootstrap(options, { title: ['workers', names.join(',')], channels })
    super(child)
    this.#options = options
    this.#names = names
    this.#link = link
    link.on('forked', ({ name, pid }) => this.#forked.get(name)?.came(pid))
    link.on('exited', ({ name, status, signal }) =>
      this.#forked.get(name)?.went({ status, signal: signal as NodeJS.Signals | null }),
    )
    for (const channel of child.channels) channel.on('error', () => undefined)
    const descriptors = names.flatMap((name) => this.#descriptorsOf(name))
    link.order({ order: 'load', component: 'workers', channels: descriptors, log: options.log })
    void child.exited.then((exit) => {
      this.#hasEnded = true
      // It has taken them along.
      for (const each of this.#forked.values()) each.went({ status: exit.status, signal: exit.signal ?? 'SIGKILL' })
    })
  }

  /** Whether its Python has Dask, within `timeout` milliseconds: as `findPython` asks. */
  async answer(timeout: number): Promise<PythonAnswer> {
    return await this.#link.answer(timeout)
  }

  /** Why it cannot fork, once it has imported Dask; undefined where it can. */
  async obstacle(): Promise<string | undefined> {
    return await Promise.race([
      this.#link.first('loaded').then(({ pid, threads }) => {
        // What a container calls its processes means others here.
        if (pid !== this.pid) return 'their Python runs inside of something else'
        return threads === 1 ? undefined : `their Python has ${threads ?? 'an unknown number of'} threads`
      }),
      this.child.exited.then((exit) => `their Python ${formatExit(exit)}`),
    ])
  }

  /** The worker `name`, forked. Undefined where that was done before, or cannot be done: it has to be started alone. */
  fork(name: string, onLines: BootstrapOptions['onLines']): DaskProcess | undefined {
    const index = this.#names.indexOf(name)
    if (this.#hasEnded || index === -1 || this.#forked.has(name)) return undefined
    const first = index * channelsOfOne
    const channels = this.child.channels.slice(first, first + channelsOfOne) as unknown as Channels
    const child = new ForkedChild(channels, this.#options.reaper, onLines)
    this.#forked.set(name, child)
    this.#link.order({ order: 'fork', name, channels: this.#descriptorsOf(name) })
    const link = new BootstrapLink(child, () => {
      void onLines([otherWriter], 'stderr')
    })
    return new DaskProcess(`worker ${name}`, child, link)
  }

  /** Whether it has forked a worker. */
  get isUsed(): boolean {
    return this.#forked.size > 0
  }

  #descriptorsOf(name: string): number[] {
    const first = firstChannel + this.#names.indexOf(name) * channelsOfOne
    return Array.from({ length: channelsOfOne }, (_, i) => first + i)
  }
}
