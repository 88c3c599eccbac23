import { parsePorts, portsOf } from '../util/ports.ts'
import type { NameOf } from './complete.ts'
import { flagOf, variablePrefix } from './names.ts'
import type { Completed, Given } from './row.ts'
import type { runTable } from './table.ts'

type Options = Completed<typeof runTable>
/** How messages call an option. */
type Name = (option: keyof typeof runTable) => string

/**
 * Checks what options are only together.
 *
 * @throws RangeError where one of them cannot be used with, or without, another.
 */
export function checkTogether(given: Given<typeof runTable>, completed: Options, nameOf: NameOf): void {
  const name: Name = nameOf
  const { tlsCaFile, tlsCert, tlsKey, protocol, scheduler, listenAddress, contactAddress, workerPort, nworkers } =
    completed
  if ((tlsCaFile === undefined) !== (tlsCert === undefined))
    throw new RangeError(`Cannot use TLS with half of its files: name both ${name('tlsCaFile')} and ${name('tlsCert')}`)
  if (tlsKey !== undefined && tlsCert === undefined)
    throw new RangeError(`Cannot use ${name('tlsKey')} alone: name ${name('tlsCert')} too`)
  if (tlsCert !== undefined && protocol !== undefined && protocol !== 'tls')
    throw new RangeError(`Cannot use ${name('tlsCert')} with ${name('protocol')} ${protocol}: leave one of them out`)
  checkSecure(completed, name)
  if (!scheduler && given.schedulerFile === undefined)
    throw new RangeError(
      `Cannot run without a scheduler (${name('scheduler')}): name the scheduler file of the cluster to join by ${name('schedulerFile')}`,
    )
  if (completed.workersPerCommand > 1 && completed.workerCommand === undefined)
    throw new RangeError(`Cannot use ${name('workersPerCommand')} alone: name ${name('workerCommand')} too`)
  checkWaiting(completed, name)
  checkPlace(completed, name)
  // The rest is Dask's.
  checkNanny(completed, name)
  checkScheduler(completed, name)
  if (contactAddress !== undefined && listenAddress === undefined)
    throw new RangeError(`Cannot use ${name('contactAddress')} alone: name ${name('listenAddress')} too`)
  if (listenAddress !== undefined && workerPort !== undefined)
    throw new RangeError(
      `Cannot use ${name('listenAddress')} and ${name('workerPort')} together: leave one of them out`,
    )
  if (nworkers > 1 && listenAddress !== undefined)
    throw new RangeError(
      `Cannot use one ${name('listenAddress')} for ${nworkers} workers of a process: leave ${name('nworkers')} out`,
    )
  checkEnoughPorts(completed, 'workerPort', name)
  if (completed.nanny) checkEnoughPorts(completed, 'nannyPort', name)
}

/** What `--secure` cannot be together with. A site may have it in a variable, which one's own certificates replace. */
function checkSecure({ secure, tlsCert, protocol, listenAddress, contactAddress }: Options, name: Name): void {
  if (!secure || (tlsCert !== undefined && name('secure').startsWith(variablePrefix))) return
  if (tlsCert !== undefined)
    throw new RangeError(`Cannot use ${name('secure')} and ${name('tlsCert')} together: leave one of them out`)
  const next = name('secure').startsWith(variablePrefix) ? 'add --no-secure' : 'leave one of them out'
  if (protocol !== undefined && protocol !== 'tls')
    throw new RangeError(`Cannot use ${name('secure')} with ${name('protocol')} ${protocol}: ${next}`)
  for (const [option, address] of [
    ['listenAddress', listenAddress],
    ['contactAddress', contactAddress],
  ] as const)
    if (address !== undefined && !address.startsWith('tls://'))
      throw new RangeError(`Cannot use ${name(option)} "${address}" with ${name('secure')}: write it as tls://…`)
}

/** Who a process is needs all three, and each is said once. */
function checkPlace(completed: Options, name: Name): void {
  const { rank, size } = completed
  for (const option of ['rank', 'size', 'runId'] as const)
    if (completed[option] !== undefined && completed[`${option}From`] !== undefined)
      throw new RangeError(`Cannot use ${name(option)} and ${name(`${option}From`)} together: leave one of them out`)
  if (rank === undefined && completed.rankFrom === undefined) return
  const said = `${name(rank === undefined ? 'rankFrom' : 'rank')} ${rank ?? completed.rankFrom}`
  for (const option of ['size', 'runId'] as const)
    if (completed[option] === undefined && completed[`${option}From`] === undefined)
      throw new RangeError(`Cannot use ${said} alone: name ${name(`${option}From`)} or ${name(option)} too`)
  if (rank !== undefined && size !== undefined && rank >= size)
    throw new RangeError(`Cannot use ${said} with ${name('size')} ${size}: ranks count from 0`)
}

/** Rank 0 asks the scheduler which workers run, and speaks no other protocol. */
function checkWaiting({ waitWorkers, protocol, scheduler }: Options, name: Name): void {
  if (waitWorkers === undefined || !scheduler || protocol === undefined || ['tcp', 'tls'].includes(protocol)) return
  throw new RangeError(
    `Cannot use ${name('waitWorkers')} with ${name('protocol')} ${protocol}: workers are counted over tcp and tls alone; ` +
      'leave one of them out, and let the program wait for its workers',
  )
}

/** Without a nanny these would not be used. A site may have them in a variable, for those who want nannies. */
function checkNanny({ nanny, nannyPort, preloadNanny, lifetimeRestart }: Options, name: Name): void {
  if (nanny) return
  for (const [option, value] of [
    ['nannyPort', nannyPort],
    ['preloadNanny', preloadNanny?.join(',')],
    ['lifetimeRestart', lifetimeRestart === true ? 'yes' : undefined],
  ] as const)
    if (value !== undefined && !name(option).startsWith(variablePrefix))
      throw new RangeError(
        `Cannot use ${name(option)} "${value}": the workers have no nanny; leave it out, or add ${flagOf('nanny')}`,
      )
}

/** What is no use to Dask alone, or dangerous. */
function checkScheduler({ preload, preloadArgv, jupyter, secure }: Options, name: Name): void {
  if (preloadArgv !== undefined && preload === undefined && !name('preloadArgv').startsWith(variablePrefix))
    throw new RangeError(`Cannot use ${name('preloadArgv')} alone: name ${name('preload')} too`)
  if (jupyter && secure)
    throw new RangeError(
      `Cannot use ${name('jupyter')} with ${name('secure')}: Dask's Jupyter server asks for no password; ` +
        'run jupyter lab as the program, which does',
    )
}

/** Each worker of a process needs a port of its own. */
function checkEnoughPorts(completed: Options, option: 'workerPort' | 'nannyPort', name: Name): void {
  const { nworkers, [option]: text } = completed
  const range = text === undefined ? undefined : parsePorts(text)
  if (text === undefined || range === undefined || range.first === 0 || portsOf(range).length >= nworkers) return
  throw new RangeError(
    `Cannot use ${name(option)} "${text}": ${name('nworkers')} ${nworkers} needs as many ports; write a range such as ` +
      `${range.first}:${range.first + nworkers - 1}`,
  )
}
