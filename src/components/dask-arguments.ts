import { isIP } from 'node:net'
import { type CompleteOptions, nameOf } from '../options.ts'
import { daskTable } from '../options/dask-table.ts'
import { flagOf } from '../options/names.ts'
import { splitWords } from '../options/worker-command.ts'
import { isLoopback } from '../util/network.ts'

/** Where the scheduler listens. */
export interface SchedulerPlace {
  /** Undefined: on every interface. */
  readonly host: string | undefined
  /** 0 for any free port. */
  readonly port: number
}

/** Arguments of `dask scheduler` for these options. (The flags of Dask 2022.12 to 2026.7.) */
export function schedulerArguments(options: CompleteOptions, place: SchedulerPlace): string[] {
  return [
    ...hostFlag(place.host),
    ...flag('--port', place.port),
    ...commonArguments(options),
    // Without a dashboard Dask still binds this port for its health page.
    ...flag('--dashboard-address', schedulerDashboard(options, place.host)),
    ...(options.useXheaders ? ['--use-xheaders', 'true'] : []),
    ...(options.jupyter ? ['--jupyter'] : []),
    ...flag('--idle-timeout', options.idleTimeout),
    ...preloadArguments(options),
  ]
}

/** What one worker needs to know beside the options. */
export interface WorkerPlace {
  /** Name in the cluster; a whole number becomes an integer in Dask. */
  readonly name: string
  readonly schedulerAddress: string
  readonly localDirectory: string
  /** Where it listens, as `listenAddress` says where that is given. Undefined: on every interface. */
  readonly host: string | undefined
  readonly nthreads: number
  /** In Dask's notation. */
  readonly memoryLimit: string
}

/** Arguments of `dask worker` for one worker. */
export function workerArguments(options: CompleteOptions, place: WorkerPlace): string[] {
  return [
    place.schedulerAddress,
    ...flag('--name', place.name),
    options.nanny ? '--nanny' : '--no-nanny',
    ...(options.listenAddress === undefined ? hostFlag(place.host) : []),
    ...flag('--worker-port', options.workerPort),
    ...flag('--nanny-port', options.nanny ? options.nannyPort : undefined),
    ...flag('--listen-address', options.listenAddress),
    ...flag('--contact-address', options.contactAddress),
    ...commonArguments(options),
    ...flag('--dashboard-address', workerDashboard(options, place.host)),
    ...flag('--nthreads', place.nthreads),
    ...flag('--memory-limit', place.memoryLimit),
    ...flag('--local-directory', place.localDirectory),
    ...flag('--worker-class', options.workerClass),
    ...flag('--resources', options.resources),
    ...flag('--lifetime', options.lifetime),
    ...flag('--lifetime-stagger', options.lifetimeStagger),
    ...lifetimeRestart(options),
    ...flag('--death-timeout', options.deathTimeout),
    ...flag('--scheduler-sni', options.schedulerSni),
    ...(options.nanny ? flags('--preload-nanny', options.preloadNanny) : []),
    ...preloadArguments(options),
  ]
}

/**
 * Where the scheduler has its dashboard. Whoever reaches one may look, with TLS too: a secure run has it on loopback. So
 * has one that listens there: Dask has a dashboard without an address on every interface, whatever its `--host`.
 */
export function schedulerDashboard(
  { secure, dashboardAddress }: Pick<CompleteOptions, 'secure' | 'dashboardAddress'>,
  host: string | undefined,
): string {
  if (dashboardAddress !== undefined) return dashboardAddress
  return secure || (host !== undefined && isLoopback(host)) ? '127.0.0.1:0' : ':0'
}

/** Where a worker has its dashboard: at the address at which it listens itself. Dask takes none of version 6 here. */
export function workerDashboard({ secure }: Pick<CompleteOptions, 'secure'>, host: string | undefined): string {
  if (secure || (host !== undefined && isLoopback(host))) return '127.0.0.1:0'
  return host !== undefined && isIP(host) === 4 && host !== '0.0.0.0' ? `${host}:0` : ':0'
}

function commonArguments(options: CompleteOptions): string[] {
  return [
    ...flag('--protocol', options.protocol),
    ...flag('--tls-ca-file', options.tlsCaFile),
    ...flag('--tls-cert', options.tlsCert),
    ...flag('--tls-key', options.tlsKey),
    ...(!options.dashboard ? ['--no-dashboard'] : []),
    ...flag('--dashboard-prefix', options.dashboardPrefix),
    ...flags('--preload', options.preload),
  ]
}

/** Without a nanny there is nobody who could. */
function lifetimeRestart({ nanny, lifetimeRestart }: CompleteOptions): string[] {
  if (!nanny || lifetimeRestart === undefined) return []
  return [lifetimeRestart ? '--lifetime-restart' : '--no-lifetime-restart']
}

/** They come last: Dask hands on whatever is behind all options. */
function preloadArguments({ preload, preloadArgv }: CompleteOptions): string[] {
  return preload === undefined || preloadArgv === undefined ? [] : ['--', ...splitWords(preloadArgv)]
}

/** Dask takes what has colons for a host and a port, unless it stands in brackets. */
function hostFlag(host: string | undefined): string[] {
  return flag('--host', host !== undefined && isIP(host) === 6 ? `[${host}]` : host)
}

function flag(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [name, String(value)]
}

function flags(name: string, values: readonly string[] = []): string[] {
  return values.flatMap((value) => flag(name, value))
}

/** How messages call the options that these arguments of Dask come from, by Dask's flags. */
export function namesOfFlags(options: CompleteOptions, args: readonly string[]): Readonly<Record<string, string>> {
  const given = Object.keys(daskTable).filter((option) => args.includes(flagOf(option)))
  return Object.fromEntries(given.map((option) => [flagOf(option), nameOf(options, option)]))
}

/** A value of an option, for values.py: the option, how messages call it, and the value. */
export type DaskValue = readonly [option: string, name: string, value: string]

/** The values of which only Dask, in the user's Python, knows whether they can be used. */
export function daskValues(options: CompleteOptions): DaskValue[] {
  const { protocol, listenAddress, contactAddress, workerClass, preload = [], preloadNanny = [], nanny } = options
  const jupyter = options.jupyter ? 'yes' : undefined
  const given = Object.entries({ protocol, listenAddress, contactAddress, workerClass, jupyter })
  const preloads = preload.map((each) => ['preload', each] as const)
  const ofNannies = nanny ? preloadNanny.map((each) => ['preloadNanny', each] as const) : []
  return [...given, ...preloads, ...ofNannies].flatMap(([option, value]) =>
    value === undefined ? [] : [[option, nameOf(options, option), value] as const],
  )
}
