import { printable } from '../util/printable.ts'

/** Where a Dask scheduler or worker listens. */
export interface DaskAddress {
  readonly protocol: 'tcp' | 'tls'
  readonly host: string
  readonly port: number
}

/**
 * Reads an address such as `tcp://10.0.0.1:8786`, `tls://[fe80::1%eth0]:8786` or, as Dask also takes
 * it, `10.0.0.1:8786`.
 *
 * @throws RangeError where it is no address, or of a protocol that is not spoken here (`ucx`, `ws`).
 */
export function parseAddress(address: string): DaskAddress {
  const found = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:\[([^\]\s\p{Cc}]+)\]|([^:/\s\p{Cc}]+)):(\d{1,5})$/u.exec(address)
  const [, protocol = 'tcp', v6, name, digits] = found ?? []
  const host = v6 ?? name
  const port = Number(digits)
  if (found === null || host === undefined || port < 1 || port > 65_535)
    throw new RangeError(`Cannot use the address "${printable(address)}": it is written tcp://host:port`)
  if (protocol !== 'tcp' && protocol !== 'tls')
    throw new RangeError(`Cannot use the address "${printable(address)}": only tcp:// and tls:// are spoken here`)
  return { protocol, host, port }
}

/** Whether {@link parseAddress} takes it. */
export function isSpoken(address: string): boolean {
  try {
    parseAddress(address)
    return true
  } catch {
    return false
  }
}
