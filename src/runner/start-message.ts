import { describePython } from '../python/describe-python.ts'
import { findPython, isFirstChoice } from '../python/find-python.ts'
import { pythonOfCommand } from '../python/python-of-command.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import { sayVersions, type Versions } from '../record/versions.ts'
import type { RunContext } from './context.ts'

/** How long the client program's Python may take to tell its versions. In milliseconds. */
const describeTimeout = 10_000

/** Says where the dashboard is and how to get there, or why there is none. Does not throw. */
export async function sayDashboard(scheduler: SchedulerFile, { logger, options, identity }: RunContext): Promise<void> {
  const { checkDashboard, dashboardUrl, tunnelCommand } = await import('../dask/dashboard.ts')
  let url = dashboardUrl(scheduler)
  if (url === undefined || !options.dashboard) return
  let state = await checkDashboard(url)
  if (state === 'unreachable' && url.startsWith('http://[')) {
    // Newer Dask has its dashboard at addresses of version 4 alone, loopback among them.
    url = url.replace(/\[.*\]/, '127.0.0.1')
    state = await checkDashboard(url)
  }
  if (state === 'there')
    logger.info(
      `dashboard at ${url}: ${tunnelCommand(url, { login: options.env.SLURM_SUBMIT_HOST, home: identity.host })}`,
    )
  else if (state === 'no-bokeh') logger.info('no dashboard: the Python of the scheduler has no bokeh')
  else if (state === 'unreachable') logger.info(`the dashboard at ${url} does not answer`)
}

/** Dask refuses or warns where client and workers differ: says so before the client program does. Does not throw. */
export async function warnOfOtherPython(
  command: readonly [string, ...string[]],
  { logger, options }: RunContext,
  cluster: Versions | undefined,
): Promise<void> {
  try {
    const { env } = options
    const python = await pythonOfCommand(command, env)
    if (python === undefined || cluster === undefined) return
    // Either the cluster's or without Dask: neither is worth the start of another Python.
    if (await isFirstChoice(python, options.python, env)) return
    if (python === (await findPython(options.python, env))) return
    const { version, packages } = await describePython(python, { env, timeout: describeTimeout })
    const { dask, distributed } = packages
    if (dask === undefined || distributed === undefined) return
    const [theirs, ours] = [sayVersions({ python: version, dask, distributed }), sayVersions(cluster)]
    if (theirs === ours) return
    logger.warn(
      `the client program runs ${theirs} of ${python}, the cluster ${ours}: use one Python environment for both`,
    )
  } catch {
    // It was only to warn.
  }
}
