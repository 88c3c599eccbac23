import type { CompleteOptions } from '../options.ts'

/** Arguments of `dask scheduler` for these options. (The flags of Dask 2022.12 to 2026.7.) */
export function schedulerArguments(options: CompleteOptions): string[] {
  return [
    ...flag('--host', options.host),
    ...['--port', '0'],
    ...commonArguments(options),
    // Without a dashboard Dask still binds this port for its health page.
    ...flag('--dashboard-address', options.dashboardAddress ?? ':0'),
  ]
}

/** What one worker needs to know beside the options. */
export interface WorkerPlace {
  /** Name in the cluster; a whole number becomes an integer in Dask. */
  readonly name: string
  readonly schedulerAddress: string
  readonly localDirectory: string
}

/** Arguments of `dask worker` for one worker. */
export function workerArguments(options: CompleteOptions, place: WorkerPlace): string[] {
  return [
    place.schedulerAddress,
    ...flag('--name', place.name),
    options.nanny ? '--nanny' : '--no-nanny',
    ...flag('--host', options.host),
    ...commonArguments(options),
    ...flag('--dashboard-address', ':0'),
    ...flag('--nthreads', options.nthreads),
    ...flag('--memory-limit', options.memoryLimit),
    ...flag('--local-directory', place.localDirectory),
    ...flag('--worker-class', options.workerClass),
    ...flag('--resources', options.resources),
    ...flag('--lifetime', options.lifetime),
    ...flag('--death-timeout', options.deathTimeout),
  ]
}

function commonArguments(options: CompleteOptions): string[] {
  return [
    ...flag('--interface', options.interface),
    ...flag('--protocol', options.protocol),
    ...(options.dashboard === false ? ['--no-dashboard'] : []),
    ...(options.preload ?? []).flatMap((preload) => flag('--preload', preload)),
  ]
}

function flag(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [name, String(value)]
}
