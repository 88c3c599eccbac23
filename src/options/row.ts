/** A schema of zod, by its types alone: whoever uses the library's declarations needs no zod. */
export interface Schema<Given, Value> {
  readonly _zod: { readonly input: Given; readonly output: Value }
}

/** What the values of an option are. */
export interface Kind<Given = unknown, Value = unknown> {
  /** Checks what is given, and makes of it what is used. */
  readonly schema: Schema<Given, Value>
  /** What the text of a flag or a variable stands for; a text that stands for nothing is left to the schema. */
  readonly fromText?: (text: string) => unknown
  /**
   * `switch`: the flag has no value, and the variable is yes or no. `list`: the flag may be repeated, and
   * the variable has commas between its values.
   */
  readonly form?: 'switch' | 'list'
  /** The words that it is one of. */
  readonly words?: readonly string[]
}

/** An option: everything that flags, variables, help, types and checks have to know of it. */
export interface Row<Given = unknown, Value = unknown> {
  readonly kind: Kind<Given, Value>
  /** What counts where the option is not given. */
  readonly default?: Given
  /** The same in words, where it is not a value of the option. */
  readonly otherwise?: string
  /** What the value is called in the help: `--grace <time>`. */
  readonly value?: string
  /** What the option does, for the help and the page of options: one line without an end. */
  readonly help: string
  /** Under which title the help has it. */
  readonly group: Group
  /** Whether it is about the launcher that has started the processes of a run: `local`, which starts its own, has no use for it. @default false */
  readonly ofLauncher?: boolean
  /** Whether its value may begin with `--`. @default false */
  readonly mayBeFlags?: boolean
  /** A short flag, such as `-n`. */
  readonly short?: string
  /** Its environment variable, where that does not follow from its name. */
  readonly variable?: string
}

/** Options by their names in the library. */
export type Rows = Readonly<Record<string, Row>>

/** `cluster`: which cluster a command is about. `command`: of one command alone. */
export type Group = 'run' | 'dask' | 'cluster' | 'command'

/** The options of `Table` as they are given: each may be left out. */
export type Given<Table extends Rows> = {
  readonly [Name in keyof Table]?: GivenBy<Table[Name]> | undefined
}

/** The options of `Table` as they are used: what has a default is there. */
export type Completed<Table extends Rows> = {
  readonly [Name in keyof Table as HasDefault<Table[Name], Name>]: ValueOf<Table[Name]>
} & {
  readonly [Name in keyof Table as Exclude<Name, HasDefault<Table[Name], Name>>]?: ValueOf<Table[Name]>
}

type GivenBy<R extends Row> = R['kind'] extends Kind<infer Given> ? Given : never
type ValueOf<R extends Row> = R['kind'] extends Kind<unknown, infer Value> ? Value : never

type HasDefault<R, Name> = R extends { readonly default: unknown } ? Name : never
