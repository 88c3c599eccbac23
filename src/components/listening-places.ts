import { schedulerDashboard, workerDashboard } from './dask-arguments.ts'
import type { CompleteOptions } from '../options.ts'
import { isLoopback, hostOf } from '../util/network.ts'
import type { RunContext } from '../identity/run-context.ts'
import { listenHost, plannedScheduler, staysOnHost } from './listen-address.ts'

/** A place at which a run listens. */
export interface ListeningPlace {
  readonly what: string
  /** The ports that the options allow; undefined for any free one. */
  readonly ports: string | undefined
  /**
   * Who can use what listens there: whoever is on this `host`, whoever reaches this host over the `network`, or, wherever
   * he is, who has the secret or a certificate of the run (`closed`).
   */
  readonly reach: 'host' | 'network' | 'closed'
}

/** What decides where a run listens. */
export interface Listening {
  readonly options: Pick<
    CompleteOptions,
    | 'port'
    | 'controlPort'
    | 'workerPort'
    | 'nannyPort'
    | 'nanny'
    | 'dashboard'
    | 'dashboardAddress'
    | 'protocol'
    | 'secure'
    | 'scheduler'
    | 'workerCommand'
    | 'listenAddress'
  >
  /** Hosts that Dask is told to listen on. Undefined: every interface. */
  readonly schedulerHost: string | undefined
  readonly workerHost: string | undefined
  /** Whether the control port is on loopback. */
  readonly staysOnHost: boolean
}

/** Every place at which a run listens, and who can use it. */
export function listeningPlaces({ options, schedulerHost, workerHost, staysOnHost }: Listening): ListeningPlace[] {
  const { scheduler, nanny, dashboard, workerCommand } = options
  const isEncrypted = options.secure || options.protocol === 'tls' || options.protocol === 'wss'
  const reachOf = (host: string | undefined): 'host' | 'network' =>
    host !== undefined && isLoopback(host) ? 'host' : 'network'
  const dask = (what: string, ports: string | undefined, host: string | undefined): ListeningPlace => ({
    ...{ what, ports },
    reach: isEncrypted && reachOf(host) === 'network' ? 'closed' : reachOf(host),
  })
  // A dashboard asks nobody for a certificate. Without it, its port has a page of health and information.
  const page = (of: string, ports: string | undefined, address: string): ListeningPlace => ({
    what: dashboard ? `dashboard${of}` : `health page${of}`,
    ports,
    reach: hostsIn(address).some((host) => reachOf(host) === 'network') ? 'network' : 'host',
  })
  return [
    { what: 'control', ports: options.controlPort, reach: staysOnHost ? 'host' : 'closed' },
    ...(scheduler
      ? [
          dask('scheduler', options.port, schedulerHost),
          page('', options.dashboardAddress, schedulerDashboard(options, schedulerHost)),
        ]
      : []),
    dask('workers', options.listenAddress ?? options.workerPort, workerHost),
    ...(nanny ? [dask('nannies', options.nannyPort, workerHost)] : []),
    // What a command opens is its own.
    ...(workerCommand === undefined ? [page('s of the workers', undefined, workerDashboard(options, workerHost))] : []),
  ]
}

/** The hosts of `:0`, `8787` or `10.1.0.5:8787,localhost`; undefined for every interface. */
export function hostsIn(addresses: string): (string | undefined)[] {
  return addresses.split(',').map((address) => {
    const host = /^[0-9]*$/.test(address) ? '' : address.replace(/:[0-9:]*$/, '')
    return host === '' ? undefined : host
  })
}

/**
 * {@link listeningPlaces} of a run, as this process's host has them.
 *
 * @param schedulerAddress where the scheduler listens, once it does
 * @throws RangeError where this host has no interface such as the options want.
 */
export async function findListeningPlaces(
  run: Pick<RunContext, 'options' | 'identity'>,
  schedulerAddress?: string,
): Promise<ListeningPlace[]> {
  const schedulerHost = schedulerAddress === undefined ? undefined : hostOf(schedulerAddress)
  const chosen = run.options.scheduler ? (await listenHost('scheduler', run))?.address : undefined
  const isEncrypted = /^(tls|wss):/.test(schedulerAddress ?? '')
  return listeningPlaces({
    options: isEncrypted ? { ...run.options, protocol: 'tls' } : run.options,
    // What Dask has made of a name; of every interface it makes one.
    schedulerHost: chosen === undefined || isEverywhere(chosen) ? chosen : (schedulerHost ?? chosen),
    workerHost: (await listenHost('worker', run, schedulerAddress ?? (await plannedScheduler(run))))?.address,
    staysOnHost: await staysOnHost(run),
  })
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}
