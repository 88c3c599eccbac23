import { describePython } from '../python/describe-python.ts'
import { isInEnvironment } from '../python/environment-runner.ts'
import { askPython, findPython, isSamePython } from '../python/find-python.ts'
import { findProgram, pythonOfCommand } from '../python/python-of-command.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import { formatVersions, type DaskVersions } from '../record/cluster-record.ts'
import type { RunContext } from '../identity/run-context.ts'
import { findListeningPlaces } from '../components/listening-places.ts'

/** Says it where others can use ports of the run. Does not throw. */
export async function logOpenPorts({ address }: SchedulerFile, run: Pick<RunContext, SayOpenNeeds>): Promise<void> {
  // That this host has no interface such as the options want is said when a worker starts.
  const places = await findListeningPlaces(run, address).catch(() => [])
  const open = places.filter(({ reach }) => reach === 'network').map(({ what }) => what)
  if (open.length === 0) return
  const whose = `open to everybody who reaches this network: ${open.join(', ')}`
  run.logger.info(`ports of Dask are ${whose}${run.options.secure ? '' : '; --secure closes them'}`)
}

type SayOpenNeeds = 'logger' | 'options' | 'identity'

/** Says where the dashboard is and how to get there, or why there is none. Does not throw. */
export async function logDashboard(scheduler: SchedulerFile, { logger, options, identity }: RunContext): Promise<void> {
  const { checkDashboard, dashboardUrl, tunnelCommand } = await import('../dask/dashboard.ts')
  let url = dashboardUrl(scheduler)
  if (url === undefined || !options.dashboard) return
  let state = await checkDashboard(url)
  if (state === 'unreachable' && (url.startsWith('http://[') || options.secure)) {
    // Newer Dask has its dashboard at addresses of version 4 alone, loopback among them; that of a secure run is there only.
    url = url.replace(/\/\/(\[.*\]|[^:/]+)/, '//127.0.0.1')
    state = await checkDashboard(url)
  }
  if (options.jupyter)
    logger.info(`Jupyter at ${new URL(url).origin}/jupyter/lab: whoever reaches this port runs code as you`)
  if (state === 'there') {
    const tunnel = tunnelCommand(url, { login: options.env.SLURM_SUBMIT_HOST, home: identity.host })
    logger.info(`dashboard at ${url}${tunnel === null ? '' : `: ${tunnel}`}`)
  } else if (state === 'no-bokeh') logger.info('no dashboard: the Python of the scheduler has no bokeh')
  else if (state === 'unreachable') logger.info(`the dashboard at ${url} does not answer`)
}

/** Says how a cluster without a client is used and ended: a step beside this one waits for its CPUs, unless it shares them. */
export function logWithoutClient({ logger, options, schedulerFile }: RunContext): void {
  if (options.client || !options.scheduler) return
  const isStep = options.env.SLURM_JOB_ID !== undefined
  const step = isStep ? '; a step of this job beside this one needs srun --overlap' : ''
  logger.info(`no client: the cluster lives until dask-hpc-runner stop --scheduler-file ${schedulerFile}${step}`)
}

/**
 * Dask refuses or warns where client and workers differ: says so, before the client program does if the cluster is there by then.
 * Does not throw.
 *
 * @param ofCluster known once its scheduler runs; undefined of one that this run has not started
 */
export async function warnOfOtherPython(
  command: readonly [string, ...string[]],
  { logger, options }: RunContext,
  ofCluster: Promise<DaskVersions | undefined>,
): Promise<void> {
  try {
    const { env, rendezvousTimeout: timeout } = options
    const named = await pythonOfCommand(command, env, { timeout })
    const python = named === undefined ? undefined : await findProgram(named, env)
    if (python === undefined && isInEnvironment(command))
      logger.warn(
        `it is not known in which Python "${command.join(' ')}" runs: see that it is ${await findPython(options, env)}`,
      )
    if (python === undefined) return
    if (options.python !== undefined && (await isSamePython(python, options.python, env))) return
    const own = await askPython(python, { env, timeout })
    const cluster = await ofCluster
    if (cluster === undefined) return
    if (own.executable === undefined) {
      const other = await findPython(options, env)
      logger.warn(
        `the client program runs in ${python}, which ${own.why}, and the cluster in ${other}: use one Python environment for both`,
      )
      return
    }
    // What has Dask and is the program's own is taken before others.
    if (options.python === undefined) return
    const { executable = options.python } = await askPython(options.python, { env, timeout })
    if (await isSamePython(own.executable, executable, env)) return
    const { version, packages } = await describePython(python, { env, timeout })
    const { dask = '?', distributed = '?' } = packages
    logger.warn(
      `the client program runs ${formatVersions({ python: version, dask, distributed })} of ${python}, ` +
        `the cluster ${formatVersions(cluster)} of ${executable}: use one Python environment for both`,
    )
  } catch {
    // It was only to warn.
  }
}
