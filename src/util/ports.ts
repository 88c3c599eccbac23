import { createServer } from 'node:net'
import { once } from 'node:events'

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

/** Every port of a range. */
export function portsOf({ first, last }: PortRange): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

/** The first port of a range that nothing listens on, or undefined. It is free only for the moment. */
export async function findFreePort(range: PortRange, host: string | undefined): Promise<number | undefined> {
  for (const port of portsOf(range)) {
    const server = createServer()
    try {
      server.listen({ port, exclusive: true, ...(host === undefined ? {} : { host }) })
      await once(server, 'listening')
      return port
    } catch {
      continue
    } finally {
      server.close()
    }
  }
  return undefined
}
