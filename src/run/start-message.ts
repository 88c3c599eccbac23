import type { SchedulerFile } from '../record/scheduler-file.ts'
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
  if (url === undefined) return
  if (options.jupyter)
    logger.info(`Jupyter at ${new URL(url).origin}/jupyter/lab: whoever reaches this port runs code as you`)
  if (!options.dashboard) return
  let state = await checkDashboard(url)
  if (state === 'unreachable' && (url.startsWith('http://[') || options.secure)) {
    // Newer Dask has its dashboard at addresses of version 4 alone, loopback among them; that of a secure run is there only.
    url = url.replace(/\/\/(\[.*\]|[^:/]+)/, '//127.0.0.1')
    state = await checkDashboard(url)
  }
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
