import { defaults } from '../defaults.ts'
import type { RunFlags } from './flags.ts'

/** Options with a value of their own that need no look at it. */
const valued = new Set(
  (
    'scheduler-file poll-interval metadata-budget rendezvous-timeout filesystem-timeout wait-workers workers-timeout ' +
    'min-workers worker-restarts lost-after on-terminate report control-port grace python mpi-library run-id nworkers ' +
    'nthreads memory-limit local-directory interface scheduler-interface worker-interface port worker-port nanny-port ' +
    'contact-address listen-address host protocol tls-ca-file tls-cert tls-key worker-class resources lifetime ' +
    'death-timeout dashboard-address'
  ).split(' '),
)
const switches = new Set('client scheduler scancel dashboard nanny keep-mpi-env'.split(' '))

/**
 * The arguments of a plain `run`, read as commander would: every process of a job starts with one, and
 * loading commander takes a third of the time of starting Node. Undefined for all that is not plain, such as other
 * commands, help, abbreviations and whatever may be wrong, which is commander's.
 */
export function readPlainRun([name, ...args]: readonly string[]): { command: string[]; flags: RunFlags } | undefined {
  if (name !== 'run') return undefined
  const flags: Record<string, unknown> = {
    client: true,
    scheduler: true,
    scancel: true,
    dashboard: true,
    nanny: false,
    layout: defaults.layout,
    identity: defaults.identity,
    watch: defaults.watch,
    logFormat: 'text',
    runner: 'auto',
  }
  const read = { command: [] as string[], flags: flags as unknown as RunFlags }
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg === '--') return { ...read, command: args.slice(i + 1) }
    if (!arg.startsWith('-')) return { ...read, command: args.slice(i) }
    if (!arg.startsWith('--')) return undefined
    const [option, wanted] = arg.startsWith('--no-') ? [arg.slice(5), false] : [arg.slice(2), true]
    const value = args[i + 1]
    if (valued.has(option) && wanted && value !== undefined && !value.startsWith('-')) {
      flags[inCamelCase(option)] = value
      i++
    } else if (
      switches.has(option) &&
      (wanted ? option === 'nanny' || option === 'keep-mpi-env' : option !== 'keep-mpi-env')
    )
      flags[inCamelCase(option)] = wanted
    else return undefined
  }
  return read
}

function inCamelCase(option: string): string {
  return option.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}
