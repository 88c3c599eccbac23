import { networkInterfaces } from 'node:os'
import { isOfCommand } from './worker-names.ts'
import type { WorkerOfCommand } from './command-worker.ts'
import { hostOf } from '../util/network.ts'
import { defaults } from '../defaults.ts'
import type { DaskVersions } from '../record/cluster-record.ts'
import type { TlsFiles } from '../util/tls-files.ts'
import { sleep } from '../util/wait.ts'
import type { RunContext } from '../identity/run-context.ts'
import { RegistrationPace } from './registration-pace.ts'
import { tlsOf } from '../security/run-tls.ts'
import { SchedulerLink } from '../dask/scheduler-link.ts'

/** Least time between two questions, and what each process of the run adds to it. In milliseconds. */
const interval = 500
const intervalOfEach = 5

/** Which workers are waited for. */
export interface Awaited {
  readonly schedulerAddress: string
  /** Name of the command: its workers have it, or it with a number behind it. Undefined: the command takes no name. */
  readonly name: string | undefined
  readonly count: number
}

/**
 * Waits until the scheduler has the workers of a command, and asks each for its versions. Those without a name of ours
 * are known by their host.
 *
 * @throws the reason of the signal.
 */
export async function awaitRegistered(
  { options, identity }: Pick<RunContext, 'options' | 'identity'>,
  { schedulerAddress, name, count }: Awaited,
  signal: AbortSignal,
): Promise<readonly WorkerOfCommand[]> {
  const tls = tlsOf(options)
  using link = new SchedulerLink(schedulerAddress, tls)
  const own = new Set(Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)))
  const isHere = (address: string): boolean => own.has(hostOf(address) ?? '')
  const pace = new RegistrationPace(isHere)
  for (;;) {
    try {
      // A small answer.
      const addresses = [...(await link.call(async (client) => await client.runningWorkers())).keys()]
      const ours =
        name === undefined
          ? addresses.filter(isHere).map((address) => ({ address }))
          : pace.isDue(addresses)
            ? await named(link, name)
            : []
      if (ours.length >= count)
        return await Promise.all(ours.map(async (each) => ({ ...each, versions: await versionsOf(each.address, tls) })))
    } catch {
      // A scheduler that is gone is noticed by others.
    }
    await sleep(interval + intervalOfEach * identity.size, signal)
  }
}

async function named(link: SchedulerLink, name: string): Promise<WorkerOfCommand[]> {
  const { workers } = await link.call(async (client) => await client.identity())
  return Object.entries(workers)
    .map(([address, { id }]) => ({ address, name: String(id) }))
    .filter((worker) => isOfCommand(worker.name, name))
}

/** What a worker runs on; undefined where it does not say. */
async function versionsOf(address: string, tls: TlsFiles | undefined): Promise<DaskVersions | undefined> {
  const timeout = defaults.connectTimeout
  try {
    const { SchedulerClient } = await import('../dask/scheduler-client.ts')
    using client = await SchedulerClient.connect(address, { timeout, ...(tls && { tls }) })
    const { host, packages } = await client.versions({ timeout })
    const { dask, distributed } = packages
    const { python } = host
    if (python === undefined || typeof dask !== 'string' || typeof distributed !== 'string') return undefined
    // `3.11.2.final.0`
    return { python: python.split('.').slice(0, 3).join('.'), dask, distributed }
  } catch {
    return undefined
  }
}
