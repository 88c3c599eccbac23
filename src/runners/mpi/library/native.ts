import { sleep } from '../../../util/wait.ts'
import type { LoadedMpi } from './load.ts'

/** Between two tests of whether something has arrived: from the first to the longest. In milliseconds. */
const firstPause = 1
const longestPause = 20

/** `MPI_Status` of every family is smaller. In bytes. */
const statusSize = 256

/** A request of any family, as an integer or a pointer. In bytes. */
const requestSize = 8

type Native = (...args: readonly unknown[]) => unknown

/**
 * What a run needs of the machine's own MPI library. All of it is collective: every rank calls the same in the same order.
 * Nothing blocks except the constructor, which waits for all ranks to come, and `finalize`.
 */
export class NativeMpi {
  /** This process's number in the world, from 0. */
  readonly rank: number
  /** How many processes the world has. */
  readonly size: number
  readonly #world: unknown
  readonly #byte: unknown
  readonly #ibcast: Native
  readonly #ibarrier: Native
  readonly #test: Native
  readonly #abort: Native
  readonly #finalize: Native

  /** Initialises the library: blocks until every rank of the world has come. */
  constructor({ library, abi }: LoadedMpi) {
    const { handle } = abi
    const native = (definition: string): Native => library.func(definition) as Native
    const valueOf = (constant: number | string): unknown =>
      typeof constant === 'string' ? library.symbol(constant) : handle === 'int' ? constant : BigInt(constant)
    this.#world = valueOf(abi.world)
    this.#byte = valueOf(abi.byte)
    this.#ibcast = native(`int MPI_Ibcast(void *, int, ${handle}, int, ${handle}, void *)`)
    this.#ibarrier = native(`int MPI_Ibarrier(${handle}, void *)`)
    this.#test = native('int MPI_Test(void *, void *, void *)')
    this.#abort = native(`int MPI_Abort(${handle}, int)`)
    this.#finalize = native('int MPI_Finalize()')
    check('MPI_Init', native('int MPI_Init(void *, void *)')(null, null))
    this.rank = this.#ask(native(`int MPI_Comm_rank(${handle}, void *)`), 'MPI_Comm_rank')
    this.size = this.#ask(native(`int MPI_Comm_size(${handle}, void *)`), 'MPI_Comm_size')
  }

  /** The bytes that rank 0 gives, in every rank; the others pass nothing. */
  async broadcast(bytes?: Uint8Array): Promise<Uint8Array> {
    // The length first, in an order of bytes of its own, and then as many bytes.
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes?.length ?? 0)
    await this.#broadcastInPlace(length)
    const content = Buffer.alloc(length.readUInt32BE())
    content.set(bytes ?? [])
    await this.#broadcastInPlace(content)
    return content
  }

  /** Resolves when every rank has called it. */
  async barrier(): Promise<void> {
    const request = Buffer.alloc(requestSize)
    check('MPI_Ibarrier', this.#ibarrier(this.#world, request))
    await this.#completion(request)
  }

  /** Ends all ranks at once, with `status` for the launcher. May not return. */
  abort(status: number): void {
    this.#abort(this.#world, status)
  }

  /** Leaves the world. Blocks until the other ranks do so too, with some libraries. */
  finalize(): void {
    check('MPI_Finalize', this.#finalize())
  }

  async #broadcastInPlace(bytes: Buffer): Promise<void> {
    const request = Buffer.alloc(requestSize)
    check('MPI_Ibcast', this.#ibcast(bytes, bytes.length, this.#byte, 0, this.#world, request))
    await this.#completion(request)
  }

  async #completion(request: Buffer): Promise<void> {
    const done = new Int32Array(1)
    const status = Buffer.alloc(statusSize)
    for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
      check('MPI_Test', this.#test(request, done, status))
      if (done[0] !== 0) return
      await sleep(pause)
    }
  }

  #ask(native: Native, name: string): number {
    const answer = new Int32Array(1)
    check(name, native(this.#world, answer))
    return answer[0] ?? -1
  }
}

/** Most libraries end the process themselves at an error, and return 0 or not at all. */
function check(name: string, status: unknown): void {
  if (status !== 0) throw new Error(`${name} returned ${String(status)}`)
}
