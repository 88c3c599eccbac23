import { networkInterfaces } from 'node:os'
import { isOfCommand } from '../components/worker-names.ts'
import { hostOf } from '../control/reach.ts'
import { sleep } from '../util/wait.ts'
import type { RunContext } from './context.ts'
import { tlsOf } from './run-tls.ts'
import { SchedulerLink } from './scheduler-link.ts'

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
 * Waits until the scheduler has the workers of a command. Those without a name of ours are known by their host.
 *
 * @throws the reason of the signal.
 */
export async function awaitRegistered(
  { options, identity }: Pick<RunContext, 'options' | 'identity'>,
  { schedulerAddress, name, count }: Awaited,
  signal: AbortSignal,
): Promise<void> {
  using link = new SchedulerLink(schedulerAddress, tlsOf(options))
  const own = new Set(Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)))
  let before = ''
  for (;;) {
    try {
      // A small answer, where nothing has changed.
      const addresses = [...(await link.call(async (client) => await client.runningWorkers())).keys()].sort()
      const ours =
        name === undefined
          ? addresses.filter((address) => own.has(hostOf(address) ?? '')).length
          : addresses.join() === before
            ? 0
            : Object.values((await link.call(async (client) => await client.identity())).workers).filter(({ id }) =>
                isOfCommand(String(id), name),
              ).length
      if (ours >= count) return
      before = addresses.join()
    } catch {
      // A scheduler that is gone is noticed by others.
    }
    await sleep(interval + intervalOfEach * identity.size, signal)
  }
}
