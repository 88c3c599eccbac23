import { flagOf, variableOf, workersVariable } from './names.ts'
import type { Given, Row, Rows } from './row.ts'
import type { runTable } from './table.ts'

/** Options as the command line and the environment have them. */
export interface Read<Table extends Rows> {
  readonly options: Given<Table>
  /** By option, the flag or the variable that had it. */
  readonly sources: Readonly<Record<string, string>>
}

/** Where options are read: flags by the names of their options, those only that were typed, and variables. */
export interface Origin {
  readonly flags: Readonly<Record<string, unknown>>
  readonly env: Readonly<NodeJS.ProcessEnv>
}

/** The options of `table`, unchecked; a flag wins over a variable. An empty variable is as good as none. */
export function readOptions<Table extends Rows>(table: Table, { flags, env }: Origin): Read<Table> {
  const options: Record<string, unknown> = {}
  const sources: Record<string, string> = {}
  for (const [option, row] of Object.entries(table)) {
    const variable = variableOf(option, row)
    const text = env[variable] ?? ''
    const flag = flags[option]
    if (flag !== undefined) {
      options[option] = typeof flag === 'string' ? valueOf(row, flag) : flag
      sources[option] = flag === false ? `--no-${flagOf(option).slice(2)}` : flagOf(option)
    } else if (text !== '') {
      options[option] = valueOf(row, text)
      sources[option] = variable
    }
  }
  return { options: options as Given<Table>, sources }
}

/**
 * The options of a run that `table` has, likewise. In the client program of another run, whose scheduler file the variable
 * names, that file is where to join and never where to publish.
 */
export function readRunOptions(table: Rows, { flags, env }: Origin): Read<typeof runTable> {
  const read: Read<typeof runTable> = readOptions(table, { flags, env })
  const isInProgram = (env[workersVariable] ?? '') !== ''
  if (!isInProgram || flags.schedulerFile !== undefined || read.options.scheduler === false) return read
  const { schedulerFile: _, ...options } = read.options
  return { ...read, options }
}

function valueOf({ kind }: Row, text: string): unknown {
  return kind.fromText === undefined ? text : kind.fromText(text)
}
