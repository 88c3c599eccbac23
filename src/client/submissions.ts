import type { RemoteFunction } from './callable.ts'
import type { HelperConnection } from './connection.ts'
import { milliseconds } from '../util/duration.ts'
import type { SubmitOptions } from './submit-options.ts'
import type { Encoded } from './values/encoded.ts'

/** A task that is to be sent. */
export interface Submission {
  readonly number: number
  readonly key: string
  readonly remote: RemoteFunction<never>
  readonly args: Encoded
  /** Numbers of the futures among its arguments. */
  readonly dependencies: readonly number[]
  readonly options: SubmitOptions
}

interface SubmissionGroup {
  readonly call: number
  readonly spec?: Uint8Array
  readonly javascript?: boolean
  readonly options: Readonly<Record<string, unknown>>
  readonly items: (readonly [number, string, Uint8Array, number, number, readonly number[]])[]
}

/** So many tasks, or so many bytes of them, are a message even while more are coming: the cluster can begin. */
const mostTasks = 1000
const mostBytes = 4_000_000

/** Sends tasks, those that are submitted at one time in one message, like ones in one group. */
export class Submissions {
  readonly #connection: HelperConnection
  /** Numbers of the functions that the helper process knows. Those that have been collected here as garbage are forgotten there. */
  readonly #calls = new WeakMap<RemoteFunction<never>, number>()
  readonly #dropped = new FinalizationRegistry<number>((call) => {
    this.flush()
    this.#connection.send({ order: 'forget function', call })
  })
  #count = 0
  #groups: SubmissionGroup[] = []
  #buffers: Uint8Array[] = []
  /** What the tasks of the last group have in common, and their numbers: none of them may need another one. */
  #last: { readonly remote: RemoteFunction<never>; readonly like: string; readonly numbers: Set<number> } | undefined
  #tasks = 0
  #bytes = 0
  #soon = false

  constructor(connection: HelperConnection) {
    this.#connection = connection
  }

  add(submission: Submission): void {
    const { remote, args, dependencies, number, key } = submission
    const options = sent(submission.options)
    const like = `${dependencies.length} ${JSON.stringify(options)}`
    let group = this.#groups.at(-1)
    let last = this.#last
    const fits =
      last?.remote === remote && last.like === like && !dependencies.some((needed) => last?.numbers.has(needed))
    if (group === undefined || last === undefined || !fits) {
      group = { ...this.#call(remote), options, items: [] }
      this.#groups.push(group)
      this.#last = last = { remote, like, numbers: new Set() }
    }
    last.numbers.add(number)
    group.items.push([number, key, args.data, this.#buffers.length, args.buffers.length, dependencies])
    this.#buffers.push(...args.buffers)
    this.#tasks++
    this.#bytes += args.data.length + args.buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0)
    if (this.#tasks >= mostTasks || this.#bytes >= mostBytes) this.flush()
    else if (!this.#soon) {
      this.#soon = true
      queueMicrotask(() => {
        this.#soon = false
        this.flush()
      })
    }
  }

  /** Sends what has been added. */
  flush(): void {
    if (this.#groups.length === 0) return
    this.#connection.send({ order: 'submit', groups: this.#groups }, this.#buffers)
    this.#groups = []
    this.#buffers = []
    this.#last = undefined
    this.#tasks = this.#bytes = 0
  }

  #call(remote: RemoteFunction<never>): Pick<SubmissionGroup, 'call' | 'spec' | 'javascript'> {
    const known = this.#calls.get(remote)
    if (known !== undefined) return { call: known }
    const call = this.#count++
    this.#calls.set(remote, call)
    this.#dropped.register(remote, call)
    return { call, spec: remote.spec, javascript: remote.language === 'javascript' }
  }
}

/** The options as Dask's client names them, and `limit`, in seconds, of the call; without what concerns only this process. */
function sent({ workers, allowOtherWorkers, resources, retries, priority, timeLimit }: SubmitOptions) {
  const limit = timeLimit === undefined ? undefined : milliseconds(timeLimit) / 1000
  return { workers, allow_other_workers: allowOtherWorkers, resources, retries, priority, limit }
}
