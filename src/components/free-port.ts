import { RunnerError } from '../errors.ts'
import { type CompleteOptions, nameOf } from '../options.ts'
import { formatOwnAddresses } from '../util/network.ts'
import { findFreePort, readPorts } from '../util/ports.ts'
import { deadline } from '../util/wait.ts'

/** An option that has ports. */
export type PortOption = 'port' | 'workerPort' | 'nannyPort'

/** How long a name may take to resolve. In milliseconds. */
const lookupTimeout = 10_000

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
  const formatPorts = `use ${nameOf(options, option)} "${ports ?? ''}"`
  const formatHost =
    options.host === undefined ? `listen on ${host ?? '?'}` : `use ${nameOf(options, 'host')} "${options.host}"`
  const late = (): Error => new RangeError(`Cannot ${formatHost}: its name does not resolve`)
  const found = await deadline(findFreePort(readPorts(option, ports ?? '0'), host), lookupTimeout, late)
  if (typeof found === 'number') return found
  const { kind, why } = found
  if (kind === 'host') throw new RangeError(`Cannot ${formatHost}: ${why}, which has ${formatOwnAddresses()}`)
  if (kind === 'forbidden') throw new RangeError(`Cannot ${formatPorts}: ${why}`)
  throw new RunnerError(`Cannot ${formatPorts}: ${why}`, { code: 'ERR_UNAVAILABLE' })
}
