import { type Environment, readVariable } from './environment.ts'
import { expandCounts } from './node-list.ts'

/** Slurm counts memory in megabytes of this many bytes. */
const megabyte = 1_048_576

/** How many of those megabytes a suffix stands for. */
const megabytesOf: Readonly<Record<string, number>> = { k: 1 / 1024, m: 1, g: 1024, t: 1024 * 1024 }

/**
 * Reads variables of which none tells a rank: one that cannot be read is noted in `warnings`, and
 * counts as missing.
 */
export class ShareVariables {
  readonly #env: Environment
  readonly #warnings = new Map<string, string>()

  constructor(env: Environment) {
    this.#env = env
  }

  /** What could not be read, each variable once. */
  get warnings(): readonly string[] {
    return [...this.#warnings.values()]
  }

  text(name: string): string {
    return readVariable(this.#env, name) ?? ''
  }

  /** A whole number, up to `most` where that is given. */
  number(name: string, most = Number.MAX_SAFE_INTEGER): number | undefined {
    const what = most === Number.MAX_SAFE_INTEGER ? 'a whole number' : `a whole number up to ${most}`
    return this.#read(name, what, (text) => {
      const value = /^[0-9]+$/.test(text) ? Number(text) : Infinity
      return value <= most ? value : undefined
    })
  }

  /** The first of these variables that is a number. */
  firstNumber(names: readonly string[]): number | undefined {
    for (const name of names) {
      const value = this.number(name)
      if (value !== undefined) return value
    }
    return undefined
  }

  /** Numbers in Slurm's short form, such as `2(x3),1`. */
  counts(name: string): readonly number[] | undefined {
    return this.#read(name, 'a list such as 2(x3),1', expandCounts)
  }

  /** Memory in bytes, in the notation that Slurm's own commands read: megabytes, or with K, M, G or T. */
  bytes(name: string): number | undefined {
    return this.#read(name, 'an amount of memory such as 4096, 4G or 1T', readMemory)
  }

  #read<T>(name: string, what: string, read: (text: string) => T | undefined): T | undefined {
    const text = readVariable(this.#env, name)
    if (text === undefined) return undefined
    const value = read(text)
    if (value === undefined) this.#warnings.set(name, `${name} is ${JSON.stringify(text)}, which is not ${what}`)
    return value
  }
}

/** Slurm rounds kilobytes up to whole megabytes. */
function readMemory(text: string): number | undefined {
  const [, digits, suffix = 'm'] = /^\s*\+?([0-9]+)(?:([kmgt])b?)?$/i.exec(text) ?? []
  const factor = megabytesOf[suffix.toLowerCase()]
  if (digits === undefined || factor === undefined) return undefined
  const megabytes = Math.ceil(Number(digits) * factor)
  return Number.isSafeInteger(megabytes) ? megabytes * megabyte : undefined
}
