import { createHash } from 'node:crypto'
import { defaults } from '../defaults.ts'
import { Reaper } from '../process/reaper.ts'
import { ClientProcess } from '../python/client-process.ts'
import { startInPython } from '../python/find-python.ts'
import { tasksModule } from '../python/tasks-module.ts'
import { type Duration, milliseconds } from '../util/duration.ts'
import { checkNames } from '../util/nearest.ts'
import { asRunnerError } from './ask.ts'
import { checkOption } from './check-options.ts'
import { connectHelper, patienceOf } from './connect-helper.ts'
import { HelperConnection } from './connection.ts'
import nodeProgram from './javascript/node-program.ts?program'
import { RemoteFunctions } from './remote-functions.ts'
import { type ClusterTarget, findTarget } from './target.ts'
import { type ClientTlsOptions, environmentForTls, environmentOfSecureRun, tlsAdvice } from './tls.ts'

/** How a client connects. */
export interface ConnectOptions extends ClientTlsOptions {
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined
  /**
   * How long connecting to the scheduler may take. The start of the helper process's Python does not count.
   *
   * @default with a runner or in the client program of a run `DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT`, if that is set, else the run's
   * `rendezvousTimeout`; elsewhere '30s'
   */
  readonly timeout?: Duration | undefined
  /** The Python that has Dask, that of the cluster. @default as for a runner */
  readonly python?: string | undefined
  /** Path of Node on the workers; it has to be this release. @default that of this process */
  readonly node?: string | undefined
  /** Fetch results from the workers, not through the scheduler. @default true in the client of a run, else false */
  readonly directToWorkers?: boolean | undefined
  /** With a runner the helper process has the run's environment. @default process.env */
  readonly env?: NodeJS.ProcessEnv | undefined
}

const optionNames = [
  ...(['signal', 'timeout', 'python', 'node', 'directToWorkers', 'env'] as const),
  ...(['tlsCaFile', 'tlsCert', 'tlsKey'] as const),
] satisfies readonly (keyof ConnectOptions)[]

/** Names the text that helper and workers make a module of. */
const moduleName = `_dask_hpc_runner_${createHash('sha256').update(tasksModule).update(nodeProgram).digest('hex').slice(0, 16)}`

/** What a client is made of. */
export interface Connected {
  /** Address of the scheduler. */
  readonly address: string
  readonly dashboardLink: string | undefined
  readonly connection: HelperConnection
  readonly reaper: Reaper
  readonly functions: RemoteFunctions
}

/** Starts the helper process and connects it to a cluster; `Client.connect` says what it throws. */
export async function connect(target: ClusterTarget | undefined, options: ConnectOptions): Promise<Connected> {
  checkNames(options, optionNames)
  for (const name of optionNames) checkOption(name, options[name])
  const { signal, env = process.env } = options
  signal?.throwIfAborted()
  const found = await findTarget(target, env)
  const timeout = milliseconds(options.timeout ?? patienceOf(found.patience, env), 'timeout')
  const own = await environmentForTls(options)
  const reaper = new Reaper()
  let tls = own
  let helper: ClientProcess | undefined
  try {
    if (own === undefined && found.secureRun !== undefined)
      tls = await environmentOfSecureRun(found.secureRun, reaper, { timeout, ...(signal && { signal }) })
    helper =
      found.takeProcess !== undefined && tls === undefined
        ? await found.takeProcess(options.python)
        : await startHelper(options, { ...env, ...tls }, reaper)
    const connection = new HelperConnection(helper)
    const order = {
      address: found.address,
      timeout,
      direct: options.directToWorkers ?? found.inRun,
      tasks: tasksModule,
      module: moduleName,
      program: nodeProgram,
      node: options.node ?? process.execPath,
    }
    const [ok, functions] = await Promise.all([
      connectHelper(connection, order, { patience: found.patience, signal }),
      RemoteFunctions.load(),
    ])
    const { address, dashboard } = ok as { readonly address: string; readonly dashboard: string | null }
    return { address, dashboardLink: dashboard ?? undefined, connection, reaper, functions }
  } catch (error) {
    helper?.kill()
    await reaper.close()
    const advice = tlsAdvice(found.address, { ...env, ...tls })
    throw asRunnerError(error, `connect to the scheduler at ${found.address}`, advice)
  }
}

/** Starts the helper process in the first Python that has Dask. */
async function startHelper(
  { python, signal }: ConnectOptions,
  env: NodeJS.ProcessEnv,
  reaper: Reaper,
): Promise<ClientProcess> {
  const { lostAfter } = defaults
  const start = (candidate: string): ClientProcess =>
    new ClientProcess({ python: candidate, env, reaper, lostAfter, onLines: say, quiet: true })
  return (await startInPython({ python }, env, start, signal)).started
}

/** What Dask's client has to say. */
function say(lines: readonly string[]): undefined {
  process.stderr.write(lines.map((line) => `[dask client] ${line}\n`).join(''))
}
