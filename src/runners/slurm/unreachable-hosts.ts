import { connect } from 'node:net'
import { defaults } from '../../defaults.ts'
import { errnoOf } from '../../errors.ts'
import { monotonic } from '../../util/monotonic.ts'
import { settledWithin } from '../../util/wait.ts'

/** Time between two questions to a host, and how many hosts are asked at a time. In milliseconds. */
const [askInterval, mostAsked] = [2_000, 32]
/**
 * Where Slurm's daemon listens. What answers does not matter: a host that is there refuses at least, or
 * hangs up on one who hangs up. The kernel of a host whose processes are frozen only accepts.
 */
const anyPort = 6818

/** How {@link UnreachableHosts} asks. */
export interface UnreachableHostsOptions {
  /** Silence after which a host counts as lost. In milliseconds. */
  readonly lostAfter: number
  /** Whether a host is there. @default a connection to it is refused, or accepted and ended when we end it */
  readonly ask?: (host: string) => Promise<boolean>
  /** Milliseconds from any fixed moment. @default monotonic */
  readonly now?: () => number
}

/**
 * Judges the hosts of processes that have not come. A process that never spoke may be late; a host that
 * answers nobody is gone, or cut off.
 */
export class UnreachableHosts {
  readonly #lostAfter: number
  readonly #ask: (host: string) => Promise<boolean>
  readonly #now: () => number
  /** How long a host may take to answer. In milliseconds. */
  readonly #patience: number
  /** Since when each host has not answered, and how many questions. */
  readonly #silent = new Map<string, { readonly since: number; questions: number }>()
  #asked = -Infinity
  /** Index of the host that is asked first the next time, where they are too many for one time. */
  #turn = 0

  constructor({ lostAfter, ask, now = monotonic }: UnreachableHostsOptions) {
    this.#lostAfter = lostAfter
    // On a slow network an answer takes long, and that is no silence.
    this.#patience = Math.max(defaults.connectTimeout, lostAfter / 2)
    this.#ask = ask ?? (async (host) => await isThere(host, this.#patience))
    this.#now = now
  }

  /** Those of `hosts` that have been silent for too long; they are asked now and then. Does not throw. */
  async lost(hosts: readonly string[]): Promise<ReadonlySet<string>> {
    const names = [...new Set(hosts)]
    for (const host of this.#silent.keys()) if (!names.includes(host)) this.#silent.delete(host)
    if (this.#now() - this.#asked >= askInterval) {
      const began = this.#now()
      this.#asked = began
      await Promise.all(
        this.#nextOf(names).map(async (host) => {
          const silence = this.#silent.get(host)
          if (await this.#ask(host)) this.#silent.delete(host)
          else if (silence === undefined) this.#silent.set(host, { since: began, questions: 1 })
          else silence.questions++
        }),
      )
    }
    return new Set(names.filter((host) => this.#isLost(host)))
  }

  /** One question tells nothing: it may have been lost. */
  #isLost(host: string): boolean {
    const { since, questions } = this.#silent.get(host) ?? { since: Infinity, questions: 0 }
    return questions > 1 && this.#now() - since >= this.#lostAfter
  }

  /** Those whose turn it is. */
  #nextOf(names: readonly string[]): readonly string[] {
    const from = this.#turn < names.length ? this.#turn : 0
    this.#turn = from + mostAsked
    return names.slice(from, this.#turn)
  }

  /** Whether `host` answers now; this process does not end before that is known. Does not throw. */
  async answers(host: string): Promise<boolean> {
    const answer = this.#ask(host)
    // The question keeps no process alive, and at the end of a run nothing else may.
    await settledWithin(answer, this.#patience + 1_000)
    return await answer
  }

  /** Whether a host did not answer when it was asked last. */
  get someDoubtful(): boolean {
    return this.#silent.size > 0
  }
}

/**
 * A name that means nothing here says nothing of the host. A living host whose firewall answers "prohibited" is EHOSTUNREACH, too, and
 * counts as silent: nothing that connect tells, nor the time that it takes, sets it apart from a host of the same network that is gone, because
 * all processes here share the kernel's search for that. Slurm's daemons reach each other at this port; see docs/failures.md for where they do not.
 */
const silences = new Set(['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ETIMEDOUT'])

async function isThere(host: string, patience: number): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const socket = connect({ host, port: anyPort })
    const give = (there: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(there)
    }
    const timer = setTimeout(give, patience, false)
    socket.unref()
    timer.unref()
    socket.once('connect', () => socket.end())
    socket.resume().once('end', () => {
      give(true)
    })
    socket.on('error', (error) => {
      give(!silences.has(errnoOf(error) ?? ''))
    })
  })
}
