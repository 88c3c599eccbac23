import { RunnerError } from '../errors.ts'
import { type CompleteOptions, nameOf } from '../options.ts'
import { formatOwnAddresses } from '../util/network.ts'
import { findFreePort, type PortRange, readPorts } from '../util/ports.ts'
import { deadline } from '../util/wait.ts'

/** An option that has ports. */
export type PortOption = 'port' | 'workerPort' | 'nannyPort'

/** How long a name may take to resolve. In milliseconds. */
export const lookupTimeout = 10_000

/**
 * A port on which a component can listen on `host`: one of those of its option, or 0 for any.
 *
 * @throws RangeError where the option, or `--host`, cannot be used on this host; RunnerError ERR_UNAVAILABLE
 * where something else listens there.
 */
export async function freePort(
  option: PortOption,
  host: string | undefined,
  options: Pick<CompleteOptions, PortOption | 'host' | 'sources'>,
): Promise<number> {
  const ports = options[option]
  // What was chosen for the user can be listened on.
  if (ports === undefined && options.host === undefined) return 0
  const withPorts = `use ${nameOf(options, option)} "${ports ?? ''}"`
  const withHost =
    options.host === undefined ? `listen on ${host ?? '?'}` : `use ${nameOf(options, 'host')} "${options.host}"`
  return await portToListenOn(readPorts(option, ports ?? '0'), host, { ports: withPorts, host: withHost })
}

/** What cannot be done where a port or a host is the reason, such as `use --port "80"`. */
interface Tried {
  readonly ports: string
  readonly host: string
}

/**
 * The first port of a range on which this host can listen.
 *
 * @throws RangeError where it can never be, RunnerError ERR_UNAVAILABLE where something else listens there.
 */
export async function portToListenOn(range: PortRange, host: string | undefined, tried: Tried): Promise<number> {
  const late = (): Error => new RangeError(`Cannot ${tried.host}: the name ${host ?? ''} does not resolve`)
  const found = await deadline(findFreePort(range, host), lookupTimeout, late)
  if (typeof found === 'number') return found
  const { kind, why } = found
  if (kind === 'host') throw new RangeError(`Cannot ${tried.host}: ${why}, which has ${formatOwnAddresses()}`)
  if (kind === 'forbidden') throw new RangeError(`Cannot ${tried.ports}: ${why}`)
  throw new RunnerError(`Cannot ${tried.ports}: ${why}`, { code: 'ERR_UNAVAILABLE' })
}
