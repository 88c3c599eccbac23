import { defaults } from '../defaults.ts'
import type { Owner } from '../record/cluster-record.ts'
import { deadline, settledWithin } from '../util/wait.ts'
import { RunnerError } from '../errors.ts'
import { Frames } from './frames.ts'
import { NotProvedError, proveToServer, type Purpose } from './handshake.ts'
import { type FromCoordinator, fromCoordinatorSchema, type ToCoordinator } from './messages.ts'
import { SocketChannel } from './socket-channel.ts'
import { isLoopback, networkName, ownAddresses } from '../util/network.ts'
import { reach } from '../util/reach.ts'

/** A channel to rank 0, which has proved itself. */
export type Rank0SocketChannel = SocketChannel<FromCoordinator, ToCoordinator>

/**
 * Why there is none: nobody listens there; no address leads to the host, or it has none for others; rank 0 accepts the connection and says
 * nothing, so that it is busy or frozen; it closes the connection; or something else listens there.
 */
export type WhyNot = 'refused' | 'unreachable' | 'no address' | 'silent' | 'closed' | 'not ours'

/** How to connect to rank 0. */
export interface OpenOptions {
  readonly purpose: Purpose
  readonly secret: string
  /** What is said first. */
  readonly hello?: ToCoordinator
  /** How long each address may take for the connection. In milliseconds. @default 3 s */
  readonly connectTimeout?: number
  /** How long it may take for the proof then. In milliseconds. @default 3 s */
  readonly answerTimeout?: number
  readonly signal?: AbortSignal | undefined
}

/** Where several addresses may lead to a host, the next one is tried after so long. In milliseconds. */
const nextAddressDelay = 300

/** What is told where the addresses of a host fail in different ways: what comes first. */
const byWeight: readonly WhyNot[] = ['silent', 'closed', 'refused', 'not ours', 'unreachable', 'no address']

/**
 * Connects to rank 0 of the run that `owner` describes, by the first of its addresses at which it proves itself.
 *
 * @throws the signal's reason.
 */
export async function openChannel(owner: Owner, options: OpenOptions): Promise<Rank0SocketChannel | WhyNot> {
  const over = new AbortController()
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([options.signal, over.signal])
  const opened: Rank0SocketChannel[] = []
  const attempt = async (address: string): Promise<Rank0SocketChannel | WhyNot> => {
    const outcome = await openAt(address, owner, { ...options, signal })
    if (typeof outcome !== 'string') opened.push(outcome)
    return outcome
  }
  let outcome: Rank0SocketChannel | WhyNot | undefined
  try {
    outcome = await firstOpen(await addressesOf(owner), attempt)
    options.signal?.throwIfAborted()
    if (typeof outcome !== 'string' && options.hello !== undefined) outcome.send(options.hello)
    return outcome
  } finally {
    over.abort()
    for (const each of opened) if (each !== outcome || options.signal?.aborted === true) each.destroy()
  }
}

/** Rank 0 was not reached, or something else answers in its place. */
export class NotReachedError extends RunnerError {
  readonly why: WhyNot

  constructor(message: string, why: WhyNot) {
    super(message, { code: 'ERR_UNAVAILABLE' })
    this.why = why
  }
}

/** @param what could not be done, such as `join` */
export function notReached(what: string, owner: Owner, why: WhyNot): NotReachedError {
  return new NotReachedError(`Cannot ${what} ${formatRank0(owner)}: ${formatWhyNot(owner, why)}`, why)
}

/** Rank 0 of a run and where it listens, for people. */
export function formatRank0({ host, control }: Owner): string {
  return `rank 0 on ${host}, port ${control.port}`
}

/** Why the control channel of `owner` could not be opened, to follow a colon. */
function formatWhyNot({ control, host }: Owner, why: WhyNot): string {
  switch (why) {
    case 'refused':
      return 'the connection is refused'
    case 'closed':
      return 'the connection was closed'
    case 'silent':
      return 'it does not answer'
    case 'not ours':
      return 'what listens there does not prove that it is of this run'
    case 'no address':
      return `${host} has no address that leads there from here; name one by --interface there`
    case 'unreachable':
      return (
        `no connection to ${control.addresses.join(', ')} comes about: its host or network is gone or slow, ` +
        `or the port is closed between the nodes (--control-port names one that is open, as --port does for the scheduler)`
      )
  }
}

type Attempt = (address: string) => Promise<Rank0SocketChannel | WhyNot>

/** Tries the addresses in turn: the next one where one has failed, or is slow. */
async function firstOpen(
  [address, ...others]: readonly string[],
  attempt: Attempt,
): Promise<Rank0SocketChannel | WhyNot> {
  if (address === undefined) return 'no address'
  const here = attempt(address)
  if (others.length === 0) return await here
  if ((await settledWithin(here, nextAddressDelay)) && typeof (await here) !== 'string') return await here
  return await firstOfBoth(here, firstOpen(others, attempt))
}

async function firstOfBoth(
  ...both: readonly Promise<Rank0SocketChannel | WhyNot>[]
): Promise<Rank0SocketChannel | WhyNot> {
  const failed = Promise.all(both).then((outcomes) => byWeight.find((why) => outcomes.includes(why)))
  const open = both.map(async (each) => {
    const outcome = await each
    return typeof outcome === 'string' ? await new Promise<never>(() => undefined) : outcome
  })
  return (await Promise.race([...open, failed])) ?? 'unreachable'
}

/** @returns 'unreachable' where the signal aborts. */
async function openAt(
  address: string,
  { run_key: runKey, control }: Owner,
  options: OpenOptions,
): Promise<Rank0SocketChannel | WhyNot> {
  const { purpose, secret, signal } = options
  const { connectTimeout = defaults.connectTimeout, answerTimeout = defaults.connectTimeout } = options
  const socket = await reach(address, control.port, { timeout: connectTimeout, signal })
  if (typeof socket === 'string') return socket
  const frames = new Frames(socket)
  try {
    const proved = proveToServer(frames, purpose, { runKey, secret })
    const session = await deadline(proved, answerTimeout, () => new Silence(), signal)
    return new SocketChannel(frames, session, fromCoordinatorSchema)
  } catch (error) {
    frames.destroy()
    if (signal?.aborted === true) return 'unreachable'
    if (error instanceof Silence) return 'silent'
    return error instanceof NotProvedError ? 'not ours' : 'closed'
  }
}

class Silence extends Error {}

/** The addresses by which rank 0 of a run can be reached from here, if by any. */
export async function addressesOf({ control: { addresses, network } }: Owner): Promise<readonly string[]> {
  if (network === (await networkName())) return ['127.0.0.1']
  // An address that we have too, such as that of a container bridge, is not the owner's host.
  const own = new Set(ownAddresses())
  return addresses.filter((address) => !own.has(address) && !isLoopback(address))
}
