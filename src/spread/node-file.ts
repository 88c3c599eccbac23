import { RunnerError } from '../errors.ts'
import { mostProcesses } from '../options/table.ts'
import { printable } from '../util/printable.ts'

/** A host of a node file. */
export interface Host {
  readonly name: string
  /** How many slots the job has on it: its lines in the file, or what stands behind its name. */
  readonly slots: number
  /** Number of its first line among the lines with hosts, from 0. */
  readonly line: number
}

/** What a host may be called: such a name is an argument of the program that starts something there. */
const hostForm = /^[A-Za-z0-9_][A-Za-z0-9._:%@-]{0,254}$/

/**
 * The hosts of a node file, in their order. Every system's form is read, and a file that somebody has written:
 *
 * - a host on a line, as often as it has slots: `PBS_NODEFILE`, `OAR_NODEFILE`;
 * - a host and the number of its slots, and what is not read behind them: `PE_HOSTFILE`, `node1 4 all.q@node1 UNDEFINED`;
 * - `node1 slots=4`, empty lines, and `#` before a comment.
 *
 * @throws RunnerError ERR_ENVIRONMENT where a line names no host, or there is none.
 */
export function parseNodeFile(text: string, path: string): readonly Host[] {
  const hosts = new Map<string, Host>()
  let line = 0
  for (const [index, raw] of text.split('\n').entries()) {
    const [name = '', second = ''] = raw.replace(/#.*/, '').trim().split(/\s+/)
    if (name === '') continue
    if (!hostForm.test(name))
      throw refused(path, `line ${index + 1} is "${printable(raw.slice(0, 100))}", and begins with no name of a host`)
    const { slots: before = 0, line: first = line } = hosts.get(name) ?? {}
    const slots = before + slotsIn(second)
    if (slots > mostProcesses) throw refused(path, `"${name}" has more than ${mostProcesses} slots there`)
    hosts.set(name, { name, slots, line: first })
    line++
  }
  if (hosts.size === 0) throw refused(path, 'it names none')
  return [...hosts.values()]
}

/** What stands behind a host's name. */
function slotsIn(word: string): number {
  const [, digits] = /^(?:slots=)?([0-9]{1,7})$/.exec(word) ?? []
  return digits === undefined ? 1 : Math.max(1, Number(digits))
}

function refused(path: string, why: string): RunnerError {
  return new RunnerError(`Cannot spread over the hosts of "${path}": ${why}; check the file`, {
    code: 'ERR_ENVIRONMENT',
  })
}
