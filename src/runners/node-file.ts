import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import { formatReadError } from '../filesystem/system-error.ts'
import { formatKind } from '../filesystem/untrusted.ts'
import { mostProcesses } from '../options/table.ts'
import { withIoTimeout } from '../util/io-timeout.ts'
import { printable } from '../util/printable.ts'

/** A host of a node file. */
export interface Host {
  readonly name: string
  /** How many slots the job has on it: its lines in the file, or what these say. */
  readonly slots: number
  /** Number of its first line among the lines with hosts, from 0. */
  readonly line: number
}

/** What a host may be called: such a name is an argument of the program that starts something there. */
const hostForm = /^[A-Za-z0-9_][A-Za-z0-9._:%@-]{0,254}$/

/** No node file is larger. In bytes. */
const largest = 64_000_000

/**
 * The hosts of a node file: see {@link parseNodeFile}.
 *
 * @param ms how long its filesystem may take
 * @throws Error that says in words why there are none.
 */
export async function readNodeFile(path: string, ms: number): Promise<readonly Host[]> {
  const reading = async (): Promise<string> => {
    const found = await stat(path)
    // What is no file may never end, or never begin.
    if (!found.isFile()) throw new Error(`it is ${formatKind(found)}, not a regular file`)
    if (found.size > largest) throw new Error(`it is larger than ${largest / 1_000_000} MB`)
    return await readFile(path, 'utf8')
  }
  const silent = (): Error => new Error('its filesystem does not answer')
  const text = await withIoTimeout(reading(), ms, silent).catch((cause: unknown) => {
    throw new Error(formatReadError(cause), { cause })
  })
  return parseNodeFile(text)
}

/**
 * The hosts of a node file, in their order. Every system's form is read, and a file that somebody has written:
 *
 * - a host on a line, as often as it has slots: `PBS_NODEFILE`, `OAR_NODEFILE`;
 * - a host and the number of its slots, and what is not read behind them: `PE_HOSTFILE`, `node1 4 all.q@node1 UNDEFINED`;
 * - `node1 slots=4` (Open MPI), `node1:4` (MPICH), empty lines, and `#` before a comment.
 *
 * A host may stand there with its domain and without.
 *
 * @throws Error in words where a line names no host, its slots are no number, or there is none.
 */
export function parseNodeFile(text: string): readonly Host[] {
  // By the first part of their names.
  const hosts = new Map<string, Host[]>()
  let line = 0
  let all = 0
  for (const [index, raw] of text.split('\n').entries()) {
    const words = raw.replace(/#.*/, '').trim()
    if (words === '') continue
    const wrong = (what: string): Error =>
      new Error(`line ${index + 1} is "${printable(raw.slice(0, 100).trim())}", ${what}`)
    const { name, slots: said } = readLine(words)
    if (!hostForm.test(name)) throw wrong('and begins with no name of a host')
    const slots = numberOf(said)
    if (slots === undefined) throw wrong(`whose slots are no whole number from 1 to ${mostProcesses}`)
    all += slots
    if (all > mostProcesses) throw new Error(`it has more than ${mostProcesses} slots`)
    const alike = hosts.get(firstPart(name)) ?? []
    hosts.set(firstPart(name), alike)
    const at = alike.findIndex((each) => isSameHost(each.name, name))
    const known = alike[at]
    if (known === undefined) alike.push({ name, slots, line })
    else alike[at] = { ...known, slots: known.slots + slots }
    line++
  }
  if (line === 0) throw new Error('it names no host')
  return [...hosts.values()].flat().sort((a, b) => a.line - b.line)
}

/** Whether two names are of one host: that of one of them may lack the domain, or a part of it. */
export function isSameHost(one: string, other: string): boolean {
  const [a, b] = [bare(one), bare(other)]
  return a === b || (isIP(a) === 0 && isIP(b) === 0 && (a.startsWith(`${b}.`) || b.startsWith(`${a}.`)))
}

/** A name without the user at that host. */
function bare(name: string): string {
  return name.slice(name.lastIndexOf('@') + 1).toLowerCase()
}

/** What the names of one host have in common. */
function firstPart(name: string): string {
  const host = bare(name)
  return isIP(host) === 0 ? (host.split('.')[0] ?? host) : host
}

/** The host of a line, and all that this says of its slots. */
function readLine(line: string): { readonly name: string; readonly slots: readonly string[] } {
  const [first = '', ...others] = line.split(/\s+/)
  // An IPv6 address has more colons.
  const [, name = first, behind] = /^([^:]*):([^:]*)$/.exec(first) ?? []
  const [second = ''] = others
  const named = others.flatMap((word) => /^slots(?:=|$)(.*)/i.exec(word)?.[1] ?? [])
  const plain = second === '' || Number.isNaN(Number(second)) ? [] : [second]
  return { name, slots: [...(behind === undefined ? [] : [behind]), ...plain, ...named] }
}

/** One where nothing is said, undefined where it is no number of slots, or said more than once. */
function numberOf([said = '1', ...more]: readonly string[]): number | undefined {
  const isNumber = /^[0-9]{1,7}$/.test(said) && Number(said) >= 1 && Number(said) <= mostProcesses
  return isNumber && more.length === 0 ? Number(said) : undefined
}
