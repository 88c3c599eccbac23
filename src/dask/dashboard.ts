import { isIP, isIPv6 } from 'node:net'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { ClusterRecord } from '../record/cluster-record.ts'

/** What came of asking a dashboard for its first page. */
export type DashboardState =
  | 'there'
  /** Dask serves it only where bokeh is installed. */
  | 'no-bokeh'
  /** Its server answers, and has no such page: the scheduler was started with `--no-dashboard`. */
  | 'off'
  /** Nothing answers from here. */
  | 'unreachable'

/** The part of a scheduler's identity, or of its file, that names its dashboard. */
export interface DashboardPlace {
  /** The scheduler's, such as `tcp://10.0.0.1:8786`. */
  readonly address: string
  readonly services?: Readonly<Record<string, unknown>> | null | undefined
  /** Our record, where one of our runs has started it. */
  readonly dask_hpc_runner?: Pick<ClusterRecord, 'dashboard_prefix'> | undefined
}

/** Where the dashboard is on the user's own machine, through the tunnel of {@link tunnelCommand}. */
export function tunnelledUrl(url: string): string {
  return `http://localhost:${localPort}${new URL(url).pathname}`
}

/** The port that a tunnel opens on the user's own machine: Dask's default one. */
const localPort = 8787
/** Enough of a page to recognise it. In bytes. */
const enough = 65_536

/** URL of the dashboard's first page, or undefined where the scheduler has none. */
export function dashboardUrl({ address, services, dask_hpc_runner: record }: DashboardPlace): string | undefined {
  const port = services?.dashboard
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined
  // Any protocol will do: the dashboard speaks HTTP beside all of them.
  const host = /^[a-z][a-z0-9+.-]*:\/\/(\[[^\]]+\]|[^:/\s]+):\d+$/.exec(address)?.[1]
  return host === undefined ? undefined : `http://${host}:${port}${record?.dashboard_prefix ?? ''}/status`
}

/** Asks a dashboard for its first page. Nothing is thrown. */
export async function checkDashboard(
  url: string,
  { timeout = 2_000, signal }: { readonly timeout?: number; readonly signal?: AbortSignal } = {},
): Promise<DashboardState> {
  const over = AbortSignal.timeout(timeout)
  const any = signal === undefined ? over : AbortSignal.any([over, signal])
  try {
    const request = get(url, { signal: any, agent: false })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    // That it is broken off says the loop.
    request.on('error', () => undefined)
    let page = ''
    for await (const text of response.setEncoding('latin1')) {
      page += String(text)
      if (page.length >= enough) break
    }
    return judge(response.statusCode ?? 0, page)
  } catch {
    return 'unreachable'
  }
}

/**
 * The command that makes the dashboard appear at {@link tunnelledUrl} on the user's own
 * machine; null where a host of it is none, as what others have written may not be: it is made to be pasted into a shell.
 *
 * @param login the host to go through, from `SLURM_SUBMIT_HOST` where that is known
 * @param home the scheduler's host; a dashboard on loopback is reached through that one alone
 */
export function tunnelCommand(
  url: string,
  { login, home }: { readonly login?: string | undefined; readonly home: string },
): string | null {
  const { hostname, port } = new URL(url)
  const loopback = hostname === 'localhost' || hostname.startsWith('127.') || hostname === '[::1]'
  const [target, through] = loopback ? ['localhost', home] : [hostname, login]
  if (!isHost(target) || (through !== undefined && !isHost(through))) return null
  const forward = `${localPort}:${target}:${port === '' ? '80' : port}`
  // Brackets and what stands between < and > have a meaning in a shell.
  return `ssh -N -L ${target.startsWith('[') ? `'${forward}'` : forward} -- ${through ?? "'<login node>'"}`
}

/** Whether a text is a host's name or address, as in a URL, and nothing else. */
function isHost(text: string): boolean {
  if (text.startsWith('[') && text.endsWith(']')) return isIPv6(text.slice(1, -1))
  return (
    isIP(text) !== 0 ||
    /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*\.?$/.test(text)
  )
}

function judge(status: number, page: string): DashboardState {
  if (status === 404) return 'off'
  if (status >= 400 || status < 200) return 'unreachable'
  return /Dask needs bokeh|bokeh.{0,200}not installed/is.test(page) ? 'no-bokeh' : 'there'
}
