import { createHash } from 'node:crypto'
import type { RemoteFunction } from './callable.ts'

/** A function as the helper process knows it. */
interface Sent {
  readonly call: number
  /** How many functions of this specification there are here. */
  functions: number
}

/** Numbers of the functions that the helper process knows. Those that have been collected here as garbage are forgotten there. */
export class SentFunctions {
  readonly #sent = new Map<string, Sent>()
  /** Digests of what they are; equal ones are one. */
  readonly #digests = new WeakMap<RemoteFunction<never>, string>()
  readonly #dropped = new FinalizationRegistry<string>((digest) => {
    this.#drop(digest)
  })
  readonly #forget: (call: number) => void
  #count = 0

  constructor(forget: (call: number) => void) {
    this.#forget = forget
  }

  /** Its number, and whether that is new. */
  numberOf(remote: RemoteFunction<never>): { readonly call: number; readonly isNew: boolean } {
    const digest = this.#digests.get(remote)
    const known = digest === undefined ? undefined : this.#sent.get(digest)
    return known === undefined ? this.#add(remote) : { call: known.call, isNew: false }
  }

  #add(remote: RemoteFunction<never>): { readonly call: number; readonly isNew: boolean } {
    const digest = createHash('sha256').update(remote.language).update(remote.spec).digest('base64')
    this.#digests.set(remote, digest)
    this.#dropped.register(remote, digest)
    const equal = this.#sent.get(digest)
    const sent = equal ?? { call: this.#count++, functions: 0 }
    sent.functions++
    this.#sent.set(digest, sent)
    return { call: sent.call, isNew: equal === undefined }
  }

  #drop(digest: string): void {
    const sent = this.#sent.get(digest)
    if (sent === undefined || --sent.functions > 0) return
    this.#sent.delete(digest)
    this.#forget(sent.call)
  }
}
