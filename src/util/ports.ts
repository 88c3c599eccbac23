import { createServer } from 'node:net'
import { once } from 'node:events'
import { errnoOf, messageOf } from '../errors.ts'

/** The ports from `first` to `last`, both included. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

/** How ports are written, for messages. */
export const portsWanted = 'write a port as 9000, or a range of ports as 9000:9010'

/** Reads `9000` or `9000:9010`, as Dask writes ranges of ports; undefined where the text is neither. */
export function parsePorts(text: string): PortRange | undefined {
  const [, first = '', last = first] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(text) ?? []
  const range = { first: Number(first), last: Number(last) }
  // 0 stands for any free port: no range begins there.
  const isRange = range.first === range.last || (range.first > 0 && range.first < range.last)
  return first !== '' && isRange && range.last <= 65_535 ? range : undefined
}

/**
 * The same for a text that has to be one of these.
 *
 * @throws RangeError where it is neither.
 */
export function readPorts(name: string, text: string): PortRange {
  const range = parsePorts(text)
  if (range !== undefined) return range
  throw new RangeError(`Cannot use ${name} "${text}": ${portsWanted}`)
}

/** A range as it is written. */
export function formatPorts({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}:${last}`
}

/** Every port of a range. */
export function portsOf({ first, last }: PortRange): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

/** Why none of some ports can be listened on. */
export interface PortProblem {
  /** Continues a sentence: `something listens on port 8786 already`. */
  readonly why: string
  /** `taken`: others may listen there later. `forbidden`: this user never will. `host`: this host has no such address. */
  readonly kind: 'taken' | 'forbidden' | 'host' | 'other'
}

/** Listens on a port for a moment. @throws Node's system error where that cannot be. */
export type TryPort = (port: number, host: string | undefined) => Promise<void>

/** The first port of a range that can be listened on, for the moment, or why there is none. */
export async function findFreePort(
  range: PortRange,
  host: string | undefined,
  tryPort: TryPort = listenForAMoment,
): Promise<number | PortProblem> {
  const errors: unknown[] = []
  for (const port of portsOf(range)) {
    try {
      await tryPort(port, host)
      return port
    } catch (error) {
      errors.push(error)
      // It is the same with every port.
      if (portProblem(error, range, host).kind === 'host') break
    }
  }
  // Where one of them is merely taken, a range is no wrong one.
  const taken = errors.find((error) => errnoOf(error) === 'EADDRINUSE')
  return portProblem(taken ?? errors[0], range, host)
}

/** Why the ports of a range cannot be listened on, by the system's error. */
export function portProblem(error: unknown, { first, last }: PortRange, host: string | undefined): PortProblem {
  const ports = first === last ? `port ${first}` : `ports ${first} to ${last}`
  switch (errnoOf(error)) {
    case 'EADDRINUSE':
      return { kind: 'taken', why: `something listens on ${ports} already` }
    case 'EACCES':
    case 'EPERM':
      return { kind: 'forbidden', why: `an ordinary user may not listen on ${ports}; name one from 1024 on` }
    case 'EADDRNOTAVAIL':
      return { kind: 'host', why: `${host ?? 'it'} is no address of this host` }
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { kind: 'host', why: `${host ?? 'it'} is no name that stands for an address here` }
    default:
      return { kind: 'other', why: messageOf(error) }
  }
}

async function listenForAMoment(port: number, host: string | undefined): Promise<void> {
  const server = createServer()
  try {
    server.listen({ port, exclusive: true, ...(host === undefined ? {} : { host }) })
    await once(server, 'listening')
  } finally {
    server.close()
  }
}
