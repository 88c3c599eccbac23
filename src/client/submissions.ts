import { createHash } from 'node:crypto'
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

/** A function as the helper process knows it; equal ones, as a loop makes them anew each time, have one number. */
interface KnownFunction {
  readonly call: number
  isSent: boolean
}

/** So many tasks, or so many bytes of them, are a message even while more are coming: the cluster can begin. */
const mostTasks = 1000
const mostBytes = 4_000_000

/** Sends tasks, those that are submitted at one time in one message, like ones in one group. */
export class Submissions {
  readonly #connection: HelperConnection
  /** The functions that the helper process knows. When all equal ones have been collected here as garbage, it is forgotten there. */
  readonly #known = new WeakMap<RemoteFunction<never>, KnownFunction>()
  readonly #byDigest = new Map<string, WeakRef<KnownFunction>>()
  readonly #dropped = new FinalizationRegistry<{ call: number; digest: string }>(({ call, digest }) => {
    if (this.#byDigest.get(digest)?.deref() === undefined) this.#byDigest.delete(digest)
    this.flush()
    this.#connection.send({ order: 'forget function', call })
  })
  #count = 0
  #groups: SubmissionGroup[] = []
  #buffers: Uint8Array[] = []
  /** What the tasks of the last group have in common, and their numbers: none of them may need another one. */
  #last: { readonly known: KnownFunction; readonly like: string; readonly numbers: Set<number> } | undefined
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
    const known = this.#know(remote)
    let group = this.#groups.at(-1)
    let last = this.#last
    const fits =
      last?.known === known && last.like === like && !dependencies.some((needed) => last?.numbers.has(needed))
    if (group === undefined || last === undefined || !fits) {
      const described = known.isSent ? {} : { spec: remote.spec, javascript: remote.language === 'javascript' }
      known.isSent = true
      group = { call: known.call, ...described, options, items: [] }
      this.#groups.push(group)
      this.#last = last = { known, like, numbers: new Set() }
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

  #know(remote: RemoteFunction<never>): KnownFunction {
    const again = this.#known.get(remote)
    if (again !== undefined) return again
    const digest = createHash('sha256').update(remote.language).update(remote.spec).digest('base64')
    const equal = this.#byDigest.get(digest)?.deref()
    const known = equal ?? { call: this.#count++, isSent: false }
    this.#known.set(remote, known)
    if (equal === undefined) {
      this.#byDigest.set(digest, new WeakRef(known))
      this.#dropped.register(known, { call: known.call, digest })
    }
    return known
  }
}

/** The options as Dask's client names them, and `limit`, in seconds, of the call; without what concerns only this process. */
function sent({ workers, allowOtherWorkers, resources, retries, priority, timeLimit }: SubmitOptions) {
  const limit = timeLimit === undefined ? undefined : milliseconds(timeLimit) / 1000
  return { workers, allow_other_workers: allowOtherWorkers, resources, retries, priority, limit }
}
