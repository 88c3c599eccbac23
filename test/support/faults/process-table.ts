import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { SlurmCluster } from '../slurm/slurm-cluster.ts'

/** A process of a run. */
export interface RunProcess {
  /** Its number on this machine. */
  readonly pid: number
  readonly parent: number
  readonly host: string
  readonly command: string
  /** Whether it is stopped, by SIGSTOP or its like. */
  readonly stopped: boolean
}

/** How long a process that carries nobody's mark is looked at again, for it may be about to become another program. In milliseconds. */
const undecided = 5_000

/** What a look may be old, in milliseconds: several runs share one. */
const fresh = 100

/**
 * The processes of all hosts, by a look at this machine's /proc that many runs share: a run's processes
 * are those that have the name of its directory in their environment.
 */
export class ProcessTable {
  readonly #slurm: SlurmCluster
  /** The environment of each process that may belong to a run, and when it was seen first. */
  readonly #known = new Map<number, { readonly since: number; environment: string }>()
  #looked = -Infinity
  #all: readonly (RunProcess & { readonly environment: string })[] = []

  constructor(slurm: SlurmCluster) {
    this.#slurm = slurm
  }

  /** All processes with `mark` in their environment. */
  of(mark: string): RunProcess[] {
    this.#look()
    return this.#all.filter(({ environment }) => environment.includes(mark))
  }

  #look(): void {
    const now = performance.now()
    if (now - this.#looked < fresh) return
    this.#looked = now
    const hosts = new Map(this.#slurm.hostNames.map((name) => [this.#slurm.host(name).namespace, name]))
    const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))
    const seen = new Set(pids.map(Number))
    for (const pid of this.#known.keys()) if (!seen.has(pid)) this.#known.delete(pid)
    this.#all = [...seen].flatMap((pid) => this.#describe(pid, hosts, now) ?? [])
  }

  #describe(
    pid: number,
    hosts: ReadonlyMap<string, string>,
    now: number,
  ): (RunProcess & { environment: string }) | undefined {
    const known = this.#known.get(pid) ?? { since: now, environment: '' }
    this.#known.set(pid, known)
    if (known.environment === '' && now - known.since > undecided) return undefined
    try {
      const host = hosts.get(readlinkSync(`/proc/${pid}/ns/pid`))
      if (host === undefined) return undefined
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
      // A process that is ending has none any more.
      if (environment.includes(runMark)) known.environment = environment
      if (known.environment === '') return undefined
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (state === 'Z' || state === 'X') return undefined
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim()
      return {
        pid,
        parent: Number(parent),
        host,
        command,
        stopped: 'Tt'.includes(state),
        environment: known.environment,
      }
    } catch {
      return undefined
    }
  }
}

/** What the names of all runs' directories begin with. */
export const runMark = 'fault-run-'
