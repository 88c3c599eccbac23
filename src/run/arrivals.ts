import type { RunContext } from '../identity/run-context.ts'
import { formatDuration } from '../util/duration.ts'
import { monotonic } from '../util/monotonic.ts'
import { showProgress } from '../util/progress.ts'

/** Ranks that are named while they are waited for. */
const mostNamed = 5

/** Tells in rank 0 that all workers of the run are there, and while they come how many, and which ranks are late. */
export class Arrivals {
  readonly #run: Pick<RunContext, 'logger' | 'options' | 'roles'>
  readonly #expected: number
  /** What has come, by rank. */
  readonly #here = new Map<number, Set<string>>()
  readonly #each: number
  #began = monotonic()
  #progress: Disposable | undefined
  #isOver = false

  /** @param each how many workers each rank starts that hosts some */
  constructor(run: Pick<RunContext, 'logger' | 'options' | 'roles'>, each: number) {
    this.#run = run
    this.#each = each
    this.#expected = run.roles.filter((roles) => roles.includes('worker')).length * each
  }

  /** There is a cluster: they come from now on. `hosts`: of the ranks that have come. */
  begin(hosts: () => ReadonlyMap<number, string>): void {
    this.#began = monotonic()
    // The client's process tells it if it waits for them.
    if (this.#isOver || this.#run.options.waitWorkers !== undefined) return
    this.#progress = showProgress(
      this.#run,
      () => `${this.#count} of ${this.#expected} workers are there${this.#formatLate(hosts())}`,
      () => this.#count / this.#expected,
    )
  }

  /** A worker has come, perhaps one that was started again. */
  add(rank: number, name: string, address: string | undefined): void {
    const here = this.#here.get(rank) ?? new Set()
    // A command may bring several under one name.
    this.#here.set(rank, here.add(this.#run.options.workersPerCommand === 1 ? name : `${name} ${address ?? ''}`))
    if (this.#isOver || this.#count < this.#expected) return
    this.end()
    const what = this.#expected === 1 ? 'the worker is' : `all ${this.#expected} workers are`
    this.#run.logger.info(`${what} there, after ${formatDuration(monotonic() - this.#began)}`)
  }

  /** No more of them are waited for. May be called twice. */
  end(): void {
    this.#isOver = true
    this.#progress?.[Symbol.dispose]()
  }

  get #count(): number {
    return [...this.#here.values()].reduce((count, { size }) => count + size, 0)
  }

  #formatLate(hosts: ReadonlyMap<number, string>): string {
    const late = this.#run.roles.flatMap((roles, rank) =>
      roles.includes('worker') && (this.#here.get(rank)?.size ?? 0) < this.#each ? [rank] : [],
    )
    const named = late
      .slice(0, mostNamed)
      .map((rank) => `rank ${rank} on ${hosts.get(rank) ?? 'a host that has not come'}`)
    const more = late.length > mostNamed ? ` and ${late.length - mostNamed} more` : ''
    return named.length === 0 ? '' : `; those of ${named.join(', ')}${more} are to come`
  }
}
