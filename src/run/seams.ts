import { LocalComponents } from '../components/local-components.ts'
import { askOwner } from '../control/ask.ts'
import type { Channel } from '../control/channel.ts'
import type { FromCoordinator, ToCoordinator } from '../control/messages.ts'
import { joinControl, openHeartbeatChannel } from '../control/join.ts'
import type { ControlServer, ControlServerOptions } from '../control/server.ts'
import { SchedulerLink } from '../dask/scheduler-link.ts'
import type { RunContext } from '../identity/run-context.ts'
import { Reaper } from '../process/reaper.ts'
import type { SignalSource } from '../process/signals.ts'
import { checkReach } from './check-reach.ts'
import { HeartbeatThread } from './heartbeat-thread.ts'

/** A channel to rank 0. */
export type Rank0Channel = Channel<FromCoordinator, ToCoordinator>

/** The components of a process, or what stands for them in a test. */
export type Components = Pick<LocalComponents, keyof LocalComponents>

/** What a run has to do with the world around this process. A test puts its own in its place. */
export interface RunSeams {
  readonly signals: SignalSource
  readonly makeReaper: (options: { readonly lostAfter: number }) => Reaper
  readonly makeComponents: (run: RunContext, reaper: Reaper) => Components
  readonly startHeartbeatThread: (
    ...args: ConstructorParameters<typeof HeartbeatThread>
  ) => Pick<HeartbeatThread, 'port' | 'stop'>
  readonly listen: (options: ControlServerOptions) => Promise<Pick<ControlServer, 'port' | 'unref' | 'close'>>
  readonly join: (...args: Parameters<typeof joinControl>) => Promise<Rank0Channel>
  readonly openHeartbeatChannel: (
    ...args: Parameters<typeof openHeartbeatChannel>
  ) => Promise<Rank0Channel | 'refused' | undefined>
  readonly askOwner: typeof askOwner
  readonly checkReach: typeof checkReach
  readonly connectScheduler: (
    ...args: ConstructorParameters<typeof SchedulerLink>
  ) => Pick<SchedulerLink, 'call' | typeof Symbol.dispose>
}

export const realRunSeams: RunSeams = {
  signals: process,
  makeReaper: (options) => new Reaper(options),
  makeComponents: (run, reaper) => new LocalComponents(run, reaper),
  startHeartbeatThread: (orders) => new HeartbeatThread(orders),
  // Only rank 0 listens: the others need not load it.
  listen: async (options) => await (await import('../control/server.ts')).ControlServer.listen(options),
  join: joinControl,
  openHeartbeatChannel,
  askOwner,
  checkReach,
  connectScheduler: (address, tls) => new SchedulerLink(address, tls),
}
