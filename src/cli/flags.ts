import { type Command, Option } from 'commander'
import { type RunnerOptions, completeOptions, nameOf } from '../options.ts'
import { type CommandName, meaninglessTo, runTableOf, tableOf } from '../options/command-table.ts'
import { completeRows } from '../options/complete.ts'
import { flagOf } from '../options/names.ts'
import { readOptions, readRunOptions } from '../options/read.ts'
import type { Completed, Group, Row, Rows } from '../options/row.ts'

const titles: Readonly<Record<Group, string>> = {
  command: 'Options:',
  cluster: 'Which cluster:',
  run: 'Options of the run:',
  dask: "Dask's own options, passed on to scheduler and workers:",
}

/** Adds the flags of the options that `command` takes. */
export function addFlags(command: Command): Command {
  const name = command.name() as CommandName
  for (const [option, row] of Object.entries(tableOf(name)))
    for (const flag of flagsOf(option, row)) command.addOption(flag.helpGroup(titles[row.group]))
  for (const [option, row] of Object.entries(meaninglessTo(name)))
    for (const flag of flagsOf(option, row)) command.addOption(flag.hideHelp())
  return command.addHelpText(
    'after',
    '\nEach option is a variable too: --lost-after is DASK_HPC_RUNNER_LOST_AFTER; a flag wins. docs/options.md lists them.',
  )
}

function flagsOf(option: string, row: Row): readonly Option[] {
  const flag = flagOf(option)
  if (row.kind.form === 'switch') {
    // The one that is no default is what the help is about; the other takes a variable back.
    const [shown, hidden] = row.default === true ? [`--no-${flag.slice(2)}`, flag] : [flag, `--no-${flag.slice(2)}`]
    return [new Option(shown, row.help), new Option(hidden).hideHelp()]
  }
  const short = row.short === undefined ? '' : `${row.short}, `
  const takes = new Option(`${short}${flag} <${row.value ?? 'value'}>`, `${row.help}${formatDefault(row)}`)
  return [
    takes.argParser<unknown>((value: string, before: unknown) => {
      if (value.startsWith('--') && row.mayBeFlags !== true)
        throw new RangeError(`Cannot use ${flag} "${value}": another option stands where its value should be`)
      if (row.kind.form !== 'list') return value
      return Array.isArray(before) ? [...(before as readonly string[]), value] : [value]
    }),
  ]
}

function formatDefault({ kind, default: value, otherwise }: Row): string {
  const words = kind.words === undefined ? [] : [kind.words.join(', ')]
  const said = otherwise ?? value
  const all = [...words, ...(said === undefined ? [] : [`default: ${said as string | number}`])]
  return all.length === 0 ? '' : ` (${all.join('; ')})`
}

/** The options of one command. */
export interface CommandOptions<Table extends Rows> {
  /** Those of the command alone. */
  readonly own: Completed<Table>
  /** By option, the flag or the variable that had it. */
  readonly sources: Readonly<Record<string, string>>
}

/**
 * The options of `table`, from the flags of a command and from variables.
 *
 * @throws RangeError where a value cannot be used; it names the flag or the variable.
 */
export function readOwnOptions<Table extends Rows>(table: Table, command: Command): CommandOptions<Table> {
  const { options, sources } = readOptions(table, { flags: typed(command), env: process.env })
  return { own: completeRows(table, options, (option) => nameOf({ sources }, option)), sources }
}

/**
 * The options of a run, from the flags of a command and from variables.
 *
 * @param program the client program with its arguments; empty for none
 * @throws RangeError where a value cannot be used; it names the flag or the variable.
 */
export function readRun(command: Command, [program, ...args]: readonly string[] = []): RunnerOptions {
  const flags = typed(command)
  const name = command.name() as CommandName
  const { options, sources } = readRunOptions(runTableOf(name), { flags, env: process.env })
  refuseMeaningless(name, flags)
  checkProgram(program)
  if (program !== undefined && options.client === false)
    throw new RangeError(`Cannot run "${program}" with ${nameOf({ sources }, 'client')}: leave one of them out`)
  const all = { ...options, sources, ...(program !== undefined && { command: [program, ...args] as const }) }
  // Whoever runs them completes them too, but not before something was loaded.
  completeOptions(all)
  return all
}

/** A variable of the site that means nothing to the command is for others, and is not read; a flag is a mistake. */
function refuseMeaningless(command: CommandName, flags: Readonly<Record<string, unknown>>): void {
  const { sources } = readOptions(meaninglessTo(command), { flags, env: {} })
  const [flag] = Object.values(sources)
  if (flag !== undefined)
    throw new RangeError(
      `Cannot use ${flag} with ${command}, which starts its processes itself: leave it out; -n says how many there are`,
    )
}

/**
 * A variable that means nothing beside the other options is there for other calls; a flag is a mistake.
 *
 * @throws RangeError where `option` was given by its flag
 */
export function refuseFlag({ sources }: Pick<CommandOptions<Rows>, 'sources'>, option: string, why: string): void {
  const flag = sources[option]
  if (flag?.startsWith('--') === true) throw new RangeError(`Cannot use ${flag} ${why}`)
}

/** Without a client program there is no client. */
export function withClient(client: readonly string[], options: RunnerOptions): RunnerOptions {
  return client.length === 0 ? { ...options, client: false } : options
}

/** @throws RangeError where the program has no name, as where a variable in its place is not set. */
export function checkProgram(program: string | undefined): void {
  if (program?.trim() === '') throw new RangeError(`Cannot run "${program}": it is empty; name a program behind --`)
}

/** What was typed, without what commander makes of the rest. */
function typed(command: Command): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(command.opts()).filter(([option]) => command.getOptionValueSource(option) === 'cli'),
  )
}
