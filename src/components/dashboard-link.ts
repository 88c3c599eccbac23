import type { CompleteOptions } from '../options.ts'
import { hostOf, isLoopback } from '../util/network.ts'

/** What decides on the link to the dashboard that Dask's clients show. */
export interface DashboardLinkNeeds {
  readonly options: Pick<CompleteOptions, 'env' | 'dashboard' | 'dashboardLink' | 'dashboardPrefix' | 'secure'>
  readonly schedulerAddress: string
  /** Name of the scheduler's host, as its workload manager has it. */
  readonly node: string
  /** Whether the user's configuration of Dask has a link of its own, which wins. Undefined: that is not known. */
  readonly hasOwn: boolean | undefined
}

/**
 * The link to the dashboard for Dask's clients of the program: a template of Dask's (`distributed.dashboard.link`), which it
 * fills in itself, variables of the environment too. Undefined where Dask's own will do, or that of the user.
 */
export function dashboardLink({ options, schedulerAddress, node, hasOwn }: DashboardLinkNeeds): string | undefined {
  const { env, dashboard, dashboardLink: template, dashboardPrefix: prefix = '', secure } = options
  if (hasOwn === true) return undefined
  if (template !== undefined) return template.replaceAll('{node}', node)
  if (!dashboard || hasOwn === undefined) return undefined
  const isLocal = isLoopback(hostOf(schedulerAddress) ?? '')
  // That of a secure run is on loopback, and nobody gets there under the scheduler's address.
  const isReached = isLocal || !secure
  if (isReached && isSet(env.JUPYTERHUB_SERVICE_PREFIX))
    return `{JUPYTERHUB_SERVICE_PREFIX}proxy/{host}:{port}${prefix}/status`
  // Its web server connects to the host by its name.
  if (isReached && !isLocal && isInOnDemand(env)) return `/rnode/${withDomain(node, env.host)}/{port}${prefix}/status`
  return prefix === '' ? undefined : `{scheme}://{host}:{port}${prefix}/status`
}

/**
 * Whether an interactive session of Open OnDemand has started us. What its script exports is `host` and `port` of the session
 * and a few functions of bash, and nothing that names it. (ood_core `batch_connect/template.rb`)
 */
function isInOnDemand(env: Readonly<NodeJS.ProcessEnv>): boolean {
  return isSet(env.host) && isSet(env.port) && isSet(env['BASH_FUNC_source_helpers%%'])
}

/** A session knows its host by the name at which the web server reaches it: mostly with a domain, which the others have too. */
function withDomain(node: string, sessionHost = ''): string {
  const [, domain = ''] = /^[^.]+(\..+)$/.exec(sessionHost) ?? []
  return node.includes('.') ? node : node + domain
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}
