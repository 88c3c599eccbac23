import { inspect } from 'node:util'
import { completeRows, type NameOf } from './options/complete.ts'
import { flagOf } from './options/names.ts'
import type { Completed, Given } from './options/row.ts'
import type { daskTable } from './options/dask-table.ts'
import { runTable } from './options/table.ts'
import { checkTogether } from './options/together.ts'
import { checkNames } from './util/nearest.ts'
import { absolutePath } from './util/surroundings.ts'
import { forceExit } from './util/io-timeout.ts'
import { demandsTls } from './util/tls-files.ts'

/** The options of `dask scheduler` and `dask worker` that are passed on under Dask's own names. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- a type of that name would not list its options
export interface DaskOptions extends Given<typeof daskTable> {}

/** Options of every runner; each is a flag of the command line in camelCase. */
export interface RunnerOptions extends Given<typeof runTable> {
  /**
   * If the client is inline (the code after `start`), start the Python process that its `Client` needs while this process
   * waits for the cluster. @default true
   */
  readonly preloadClient?: boolean | undefined
  /** Run this as the client program. @default the client is inline: the code after `start` */
  readonly command?: readonly [string, ...string[]] | undefined
  /** Ends the run when it aborts. */
  readonly signal?: AbortSignal | undefined
  /** Ends a process that is not the client's, or whose own code no run is left for. @default process.exit */
  readonly exit?: ((status: number) => never) | undefined
  /** The environment that identity and the Python are found in, and that children inherit. @default process.env */
  readonly env?: NodeJS.ProcessEnv | undefined
  /** How messages call the options that were given: by their flags and variables. @default by their names here @internal */
  readonly sources?: Readonly<Record<string, string>> | undefined
}

/** Which process hosts what: see {@link RunnerOptions.layout}. */
export type Layout = NonNullable<RunnerOptions['layout']>
/** What makes a process one of n: its node, its task, or whichever of the two fits. */
export type IdentityKind = NonNullable<RunnerOptions['identity']>
/** How a process learns that something was published. */
export type WatchMode = NonNullable<RunnerOptions['watch']>

/** Validated options with every default filled in: durations in milliseconds, the path of the scheduler file absolute. */
export interface CompleteOptions extends Completed<typeof runTable> {
  readonly command?: readonly [string, ...string[]]
  readonly signal?: AbortSignal
  readonly sources?: Readonly<Record<string, string>>
  readonly preloadClient: boolean
  readonly exit: (status: number) => never
  readonly env: NodeJS.ProcessEnv
}

/** The names of {@link RunnerOptions}. */
export const optionNames: readonly string[] = [
  ...Object.keys(runTable),
  'preloadClient',
  'command',
  'signal',
  'exit',
  'env',
  'sources',
]

/** What those have to be that are no flags. */
const ownKinds = {
  signal: { is: (value: unknown) => value instanceof AbortSignal, wanted: 'an AbortSignal' },
  preloadClient: { is: (value: unknown) => typeof value === 'boolean', wanted: 'true or false' },
  command: {
    is: (value: unknown) => Array.isArray(value) && value.every((word) => typeof word === 'string'),
    wanted: 'an array of a program and its arguments',
  },
  exit: { is: (value: unknown) => typeof value === 'function', wanted: 'a function of a status' },
  env: { is: (value: unknown) => typeof value === 'object' && value !== null, wanted: 'an object of variables' },
}

/**
 * Validates options and fills in the defaults. Placeholders in the path are left for the run key.
 *
 * @throws TypeError where there is no option of a name, RangeError where a value is outside of what its option takes.
 */
export function completeOptions(given: RunnerOptions): CompleteOptions {
  checkNames(given, optionNames)
  const { command, signal, sources, preloadClient, exit, env } = given
  for (const [option, { is, wanted }] of Object.entries(ownKinds)) {
    const value: unknown = given[option as keyof typeof ownKinds]
    if (value !== undefined && !is(value))
      throw new TypeError(`Cannot use ${option} ${inspect(value, { depth: 0 })}: it has to be ${wanted}`)
  }
  const name: NameOf = (option) => nameOf(given, option)
  const rows = completeRows(runTable, given, name)
  checkTogether(given, rows, name)
  checkLink(rows.dashboardLink, env ?? process.env, name)
  return Object.freeze({
    ...rows,
    ...completeTls(rows, env ?? process.env),
    // Where both are there, only a variable has said so: see checkTogether.
    secure: rows.secure && rows.tlsCert === undefined,
    schedulerFile: absolutePath(rows.schedulerFile),
    ...(command && { command }),
    ...(signal && { signal }),
    ...(sources && { sources }),
    preloadClient: preloadClient ?? true,
    exit: exit ?? forceExit,
    env: env ?? process.env,
  })
}

/** How messages call an option: by the flag or the variable that had it, or as the library does. @internal */
export function nameOf({ sources }: Pick<RunnerOptions, 'sources'>, option: string): string {
  return sources === undefined ? option : (sources[option] ?? flagOf(option))
}

/** Dask fills in the names of a link when it shows it, and fails where there is no such variable. */
function checkLink(link: string | undefined, env: Readonly<NodeJS.ProcessEnv>, name: NameOf): void {
  for (const [all, variable = ''] of (link ?? '').matchAll(/\{(\w+)\}/g))
    if (!['scheme', 'host', 'port', 'node'].includes(variable) && env[variable] === undefined)
      throw new RangeError(
        `Cannot use ${name('dashboardLink')} "${link}": there is no variable ${variable}; set it, or leave ${all} out`,
      )
}

/** The options that have to do with TLS. */
interface TlsOptions {
  readonly protocol?: string
  readonly tlsCaFile?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
}

/** These options with absolute paths, and with the protocol that they, or else the environment, imply. */
function completeTls(
  { tlsCaFile, tlsCert, tlsKey, protocol }: TlsOptions,
  env: Readonly<NodeJS.ProcessEnv>,
): TlsOptions {
  if (tlsCaFile === undefined || tlsCert === undefined)
    return protocol === undefined && demandsTls(env) ? { protocol: 'tls' } : {}
  return {
    protocol: 'tls',
    tlsCaFile: absolutePath(tlsCaFile),
    tlsCert: absolutePath(tlsCert),
    ...(tlsKey === undefined ? {} : { tlsKey: absolutePath(tlsKey) }),
  }
}
