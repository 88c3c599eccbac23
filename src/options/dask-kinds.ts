import { isIP } from 'node:net'
import { parsePorts } from '../util/ports.ts'
import * as z from 'zod/mini'
import { atHome, kindOf, reading, Refusal, script, text } from './kinds.ts'
import type { Kind } from './row.ts'
import { splitWords, WordsError } from './worker-command.ts'

// What Dask's own parsers take (2022.12 to 2026.7), and less: neither NaN nor a number that is written in the digits
// of another script is meant by anybody. `test/options/dask-values.process.test.ts` holds them against each other.

const number = /^[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?$|^\.[0-9]+([eE][+-]?[0-9]+)?$/

const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  ...multiples(1000, ['kb', 'mb', 'gb', 'tb', 'pb']),
  ...multiples(1000, ['k', 'm', 'g', 't', 'p']),
  ...multiples(1024, ['kib', 'mib', 'gib', 'tib', 'pib']),
  ...multiples(1024, ['ki', 'mi', 'gi', 'ti', 'pi']),
}

function multiples(base: number, units: readonly string[]): Record<string, number> {
  return Object.fromEntries(units.map((unit, i) => [unit, base ** (i + 1)]))
}

/** A size of at least `least` bytes, as Dask writes sizes: `100MB`, `1GiB`. Used in bytes. */
export function size(least: string): Kind<string, number> {
  const bytesOf = (given: string): number => {
    const { amount, unit } = split(given)
    return Math.floor(amount * (byteUnits[unit.toLowerCase()] ?? NaN))
  }
  const read = (given: string): number => {
    const bytes = bytesOf(given)
    if (!Number.isSafeInteger(bytes)) throw new Refusal('write a size as 100MB or 1GiB')
    if (bytes < bytesOf(least)) throw new Refusal(`it is at least ${least}`)
    return bytes
  }
  return kindOf(() => reading(z.string('it is a text'), read))
}

/** No worker runs in less memory. In bytes. */
const leastMemory = 1_000_000

/** Memory of a worker: `4GiB`, bytes, a share of the node's up to 1, `auto`, or `0` for no limit. */
export function memory(): Kind<string, string> {
  const wanted = 'write memory as 4GiB, as a share of the node such as 0.5, as auto, or as 0 for no limit'
  return text((given) => {
    if (given === 'auto') return given
    const { amount, unit } = split(given)
    const size = amount * (byteUnits[unit.toLowerCase()] ?? NaN)
    if (!Number.isSafeInteger(Math.floor(size))) throw new Refusal(wanted)
    if (size === 0 || (unit === '' && amount <= 1) || size >= leastMemory) return given
    throw new Refusal(`no worker runs in ${size} bytes; ${wanted}`)
  })
}

const timeUnits: Readonly<Record<string, number>> = {
  ...{ '': 1, s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9, m: 60, h: 3600, d: 86_400, w: 604_800 },
  ...{ second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 },
  ...{ seconds: 1, minutes: 60, hours: 3600, days: 86_400, weeks: 604_800 },
  ...{ millisecond: 1e-3, microsecond: 1e-6, nanosecond: 1e-9 },
  ...{ milliseconds: 1e-3, microseconds: 1e-6, nanoseconds: 1e-9 },
}

/** A length of time in Dask's notation, in which a plain number is seconds. */
export function daskTime(): Kind<string, string> {
  const wanted = 'write a length of time as "30 minutes", 1h, or a number of seconds'
  return text((given) => {
    const { amount, unit } = split(given)
    const seconds = amount * (timeUnits[unit.toLowerCase()] ?? NaN)
    // Dask reads ".5s" as 1.5 s.
    if (!Number.isFinite(seconds) || given.trim().startsWith('.')) throw new Refusal(wanted)
    if (seconds === 0) throw new Refusal(`it must be longer than nothing; ${wanted}`)
    if (seconds < 1) throw new Refusal(`no worker has started in so short a time; write 1s or more`)
    return given
  })
}

/** The number and the unit of a text; the number is NaN where there is none. */
function split(given: string): { readonly amount: number; readonly unit: string } {
  const [, amount = '', unit = ''] = /^(.*?)([A-Za-z]*)$/.exec(given.replaceAll(' ', '')) ?? []
  return { amount: number.test(amount) ? Number(amount) : NaN, unit }
}

/** Resources of a worker: `GPU=1 MEM=2e9`. */
export function resources(): Kind<string, string> {
  return text((given) => {
    for (const pair of given.replaceAll(',', ' ').trim().split(/\s+/)) {
      const [name = '', amount = '', ...others] = pair.split('=')
      if (name === '' || others.length > 0 || !number.test(amount) || !Number.isFinite(Number(amount)))
        throw new Refusal(`"${pair}" in it is no name with an amount; write resources as "GPU=1 MEM=2e9"`)
    }
    return given
  })
}

/** The import path of a class. */
export function className(): Kind<string, string> {
  return text((given) => {
    if (/^[\p{ID_Start}_][\p{ID_Continue}]*(\.[\p{ID_Start}_][\p{ID_Continue}]*)+$/u.test(given)) return given
    throw new Refusal('write a class with the module that it is in, such as dask.distributed.Worker')
  })
}

/** A module, a file or the text of a script that Dask loads; `~` at the beginning of a file is the home directory. */
export function preload(): Kind<string, string> {
  return script((given) => (given.startsWith('~/') ? atHome(given) : given))
}

/** Arguments of what is preloaded: a command line without its program. */
export function preloadArguments(): Kind<string, string> {
  return text((given) => {
    try {
      splitWords(given)
    } catch (error) {
      if (!(error instanceof WordsError)) throw error
      throw new Refusal(error.message)
    }
    return given
  })
}

/** Where dashboards are served below: `dask`, or `/a/b`. Given as `/a/b`. */
export function dashboardPrefix(): Kind<string, string> {
  return text((given) => {
    const path = given.replace(/^\/+|\/+$/g, '')
    if (/^[A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*$/.test(path)) return `/${path}`
    throw new Refusal('write a path of letters, digits, ".", "_", "~", "-" and "/", such as dask or /my/dask')
  })
}

/** A link as Dask has it in its configuration, with names in braces. */
export function linkTemplate(): Kind<string, string> {
  return text((given) => {
    if (/[{}]/.test(given.replaceAll(/\{[A-Za-z_][A-Za-z0-9_]*\}/g, '')))
      throw new Refusal(
        'a brace in it stands alone; write names in braces, such as {host}, {port} and {JUPYTERHUB_SERVICE_PREFIX}',
      )
    return given
  })
}

/** Name of a protocol of Dask. */
export function protocol(): Kind<string, string> {
  return text((given) => {
    const name = given.replace(/:\/\/$/, '')
    if (/^[a-z][a-z0-9+.-]*$/.test(name) && name !== 'inproc') return name
    throw new Refusal('write the name of a protocol between processes, such as tcp or tls')
  })
}

/** A host name or an IP address, without brackets. */
export function host(): Kind<string, string> {
  return text((given) => {
    const found = hostIn(given)
    if (found !== undefined) return found
    throw new Refusal('write a host name or an address, such as 10.1.0.5 or ::1, without a protocol and a port')
  })
}

/** What an {@link address} has to have. */
interface AddressParts {
  /** Whether it is one to listen on, where a missing host is every interface. @default false */
  readonly listens?: boolean
  /** Whether `tcp://` may be left out. @default false */
  readonly bare?: boolean
}

/** An address with its protocol and port. */
export function address({ listens = false, bare = false }: AddressParts = {}): Kind<string, string> {
  return text((given) => {
    const [, protocol, place = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/.exec(given) ?? []
    const { host, port } = placeIn(place)
    const isHost = host !== undefined && (hostIn(host) !== undefined || (host === '' && listens))
    // Dask's workers tell the others the port 0 as it is, and one --contact-address is not where a free port is.
    if (listens && port === 0)
      throw new Refusal(
        'nobody would reach a worker at port 0; write its port, or use --interface or --host, with which any free port will do',
      )
    if (isHost && port !== undefined && port > 0 && (bare || protocol !== undefined)) return given
    throw new Refusal('write an address with its protocol and port, such as tcp://10.1.0.5:9000')
  })
}

/** Where to serve a dashboard: `:8787`, `8787`, `10.1.0.5:8787`, or several with commas between them. */
export function dashboardAddress(): Kind<string, string> {
  return text((given) => {
    if (given.split(',').every((one) => isDashboardPlace(one))) return given
    throw new Refusal('write a port as :8787, or an address with a port as 10.1.0.5:8787')
  })
}

function isDashboardPlace(given: string): boolean {
  if (/^[0-9]+$/.test(given)) return portIn(given) !== undefined
  const { host, port } = given.includes(':') ? placeIn(given) : { host: given, port: 0 }
  if (host === undefined || port === undefined) return false
  // Dask takes no address of version 6 here.
  return host === '' ? given !== '' : hostIn(host) !== undefined && isIP(host) !== 6
}

/** Interfaces and networks in order of preference, with commas between them: `ib0,10.1.0.0/16`. */
export function networks(): Kind<string, string> {
  return text((given) => {
    const parts = given.split(',').map((part) => part.trim())
    for (const part of parts)
      // Whether this host has an interface of that name is said later, beside those that it has.
      if (!(part.includes('/') ? isNetwork(part) : /^[^\s/]+$/u.test(part)))
        throw new Refusal(`"${part}" in it is neither an interface such as ib0 nor a network such as 10.1.0.0/16`)
    return parts.join(',')
  })
}

function isNetwork(cidr: string): boolean {
  const [network = '', prefix = '', ...others] = cidr.split('/')
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(network)] ?? -1
  return others.length === 0 && /^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= most
}

/** `host:port`, or `[::1]:port`; what is missing is undefined. */
function placeIn(place: string): { readonly host?: string; readonly port?: number } {
  const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]+)$/.exec(place) ?? []
  const [host, port] = [bracketed ?? plain, portIn(digits)]
  return { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) }
}

function portIn(digits: string): number | undefined {
  return digits.includes(':') ? undefined : parsePorts(digits)?.first
}

function hostIn(given: string): string | undefined {
  const plain = given.replace(/^\[(.*)\]$/, '$1')
  if (isIP(plain) !== 0) return given.startsWith('[') && isIP(plain) !== 6 ? undefined : plain
  // Names of digits alone would be addresses, which they are not.
  const isName = /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$/.test(given) && !/^[0-9.]+$/.test(given)
  return isName && !given.includes('..') ? given : undefined
}
