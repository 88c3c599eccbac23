import { hostname } from 'node:os'
import { type Environment, identityError, readVariable, show } from '../../identity/environment.ts'
import type { Identity } from '../../identity/identity.ts'
import { messageOf } from '../../errors.ts'
import { mostProcesses } from '../../options/table.ts'
import type { CompleteOptions } from '../../options.ts'
import type { RunKey } from '../../identity/run-key.ts'
import type { Share } from '../../identity/share.ts'
import { ShareVariables } from '../../identity/share-variables.ts'
import { checkRank, type PlaceOptions, readNumber, readRunId } from './identify-variables.ts'
import { asWord, numberIn, type Said } from './said.ts'
import { readNodeFile } from '../node-file.ts'
import { shortName, sumOf } from './slots.ts'
import { findSystem, type HostPlace, readJobId, readRestart, type System, systems } from './systems.ts'

/** What {@link identifySystem} takes beside the environment. */
export type SystemOptions = PlaceOptions &
  Pick<CompleteOptions, 'filesystemTimeout'> & { readonly runner: System['runner'] }

/**
 * Who this process is by the variables of a workload manager of the table.
 *
 * @throws RunnerError with `ERR_ENVIRONMENT` where variables are missing, contradict each other, or were inherited.
 */
export async function identifySystem(env: Environment, options: SystemOptions, host = hostname()): Promise<Identity> {
  const system = findSystem(env, options.runner)
  if (system === undefined) throw noTask(env, options.runner)
  const { nodeFile } = system
  const hosts = nodeFile === undefined ? [] : await hostsIn(env, nodeFile, options.filesystemTimeout)
  const among = { host, hosts }
  system.check?.(env, among)
  const size = readNumber(env, options, 'size') ?? system.size(env, among) ?? unknownSize(env, system)
  const place = checkRank(rankIn(env, system, among), size, `tasks count from ${system.first ?? 0}`)
  const { nodes, share } = hostOf(env, system, { size: place.size, host })
  const address = system.address === undefined ? undefined : readVariable(env, system.address)
  return {
    ...place,
    ...{ host, nodes, share },
    ...(nodeFile === undefined ? {} : { hosts }),
    ...(address === undefined ? {} : { launcherAddresses: [address] }),
    runKey: runKeyOf(env, system, options),
    ofTask: system.ofTask,
  }
}

function noTask(env: Environment, runner: System['runner']): Error {
  const rows = systems.filter((row) => row.runner === runner)
  const nor = rows.map(({ rank }) => show(env, rank)).join(', and ')
  return identityError(
    `${nor}, so this is no process of ${rows.map(({ launcher }) => launcher).join(' or ')}`,
    'start me by it, or name what tells who I am by --rank-from',
  )
}

async function hostsIn(env: Environment, nodeFile: string, ms: number): Promise<readonly string[]> {
  const hosts = await readNodeFile(readVariable(env, nodeFile) ?? '', ms).catch((error: unknown) => {
    throw identityError(`${show(env, nodeFile)}, which cannot be used: ${messageOf(error)}`, 'check what changed it')
  })
  return hosts.map(({ name }) => name)
}

function rankIn(env: Environment, { rank, first = 0, readRank }: System, among: HostPlace): Said<number> {
  if (readRank !== undefined) return readRank(env, among)
  const said = numberIn(env, rank)
  if (said === undefined || said.value < first)
    throw identityError(`${show(env, rank)}, and tasks count from ${first}`, 'check what changed it')
  return { ...said, value: said.value - first }
}

function unknownSize(env: Environment, { rank, launcher }: System): never {
  throw identityError(
    `${show(env, rank)}, but nothing tells how many processes ${launcher} has started`,
    'name that by --size or --size-from',
  )
}

function runKeyOf(env: Environment, system: System, options: PlaceOptions): RunKey {
  const { runner, rank, jobId, step } = system
  const runId = readRunId(env, options)
  if (jobId === undefined) {
    if (runId !== undefined) return { cluster: runner, jobId: runId, stepId: '0', restart: 0 }
    throw identityError(
      `${show(env, rank)}, but nothing tells this run from others`,
      'name that by --run-id or --run-id-from',
    )
  }
  const id = readJobId(env, system)
  if (id === undefined)
    throw identityError(`${show(env, rank)}, but ${show(env, jobId.variable)}`, 'check what changed it')
  const stepId = runId ?? asWord((step && readVariable(env, step)) ?? '0')
  return { cluster: runner, jobId: id, stepId, restart: readRestart(env, system) }
}

/** How many hosts there are, and what part of this one the process has. */
function hostOf(
  env: Environment,
  system: System,
  { size, host }: Pick<Identity, 'size' | 'host'>,
): Pick<Identity, 'nodes' | 'share'> {
  if (system.isAlone === true) return { nodes: size, share: { processes: 1, localRank: 0 } }
  const variables = new ShareVariables(env)
  const number = (name: string | undefined): number | undefined =>
    name === undefined ? undefined : variables.number(name, mostProcesses)
  const slots = system.hosts?.(env)
  const nodes = number(system.nodes) ?? slots?.size
  // Where nothing is known, they may all be on hosts of their own.
  const running = nodes === undefined ? size : Math.max(1, system.hasLaunchHost === true ? nodes - 1 : nodes)
  const here = sumOf(slots) === size ? slots?.get(shortName(host)) : undefined
  const localRank = number(system.localRank)
  const cpus = number(system.cpus) ?? 0
  const share: Share = {
    processes: Math.max(1, number(system.localSize) ?? here ?? Math.ceil(size / running)),
    ...(localRank === undefined ? {} : { localRank }),
    ...(cpus === 0 ? {} : { cpus: [{ amount: cpus, source: system.cpus ?? '' }] }),
  }
  const { warnings } = variables
  return {
    nodes: Math.min(size, Math.max(1, nodes ?? size)),
    share: warnings.length === 0 ? share : { ...share, warnings },
  }
}
