import { dirname } from 'node:path'
import { needCluster } from '../commands/cluster/find.ts'
import { withCommandSignals } from '../commands/cluster/command-signals.ts'
import { formatCount } from '../util/format.ts'
import { completeTarget, formatTarget } from '../commands/cluster/target.ts'
import { forgetCertificates, joinEnvironment, joinVariables } from '../commands/env.ts'
import { pythonLines, shellLines, unsetLines } from '../commands/env-text.ts'
import { ProgramNotStarted, runGated } from '../commands/gate.ts'
import { askConstants, type ClusterStatus, describeCluster } from '../commands/status.ts'
import { followCluster } from '../commands/status-follow.ts'
import { formatStatus } from '../commands/status-text.ts'
import { formatCluster, stopCluster } from '../commands/stop.ts'
import { waitForCluster } from '../commands/wait.ts'
import { defaults } from '../defaults.ts'
import { RunnerError } from '../errors.ts'
import type { ownTables } from '../options/command-table.ts'
import { leftUntil, monotonic } from '../util/monotonic.ts'
import { demandsTls } from '../util/tls-files.ts'
import { printable, printableLines } from '../util/printable.ts'
import { ProgressLine } from '../util/progress.ts'
import { forceExit } from '../util/io-timeout.ts'
import type { CommandOptions } from './flags.ts'
import { draw, print, say } from './print.ts'

/** How long `status --follow` waits for an answer. In milliseconds. */
const followTimeout = 300_000

/** Waits for a cluster, runs the program, and ends this process with its status. */
export async function runWait(
  [program, ...args]: readonly string[],
  { own, sources }: CommandOptions<typeof ownTables.wait>,
): Promise<never> {
  const { env } = process
  const target = completeTarget({ ...own, sources }, env)
  const { workers, timeout } = own
  return await ending(async (signals) => {
    using progress = new ProgressLine({ prefix: 'dask-hpc-runner: ' })
    const { signal } = signals
    const onProgress = (text: string): void => {
      progress.say(printable(text))
    }
    const cluster = await waitForCluster({ target, workers, timeout, signal, onProgress, waiters: tasksOf(env) })
    progress.end()
    say(`${formatCount(cluster.running, 'worker')} at ${cluster.schedulerAddress}`)
    if (program === undefined) return 0
    try {
      return await runGated([program, ...args], cluster, { env, signals, onAdvice: say })
    } catch (error) {
      if (!(error instanceof ProgramNotStarted)) throw error
      say(`error: ${error.message}`)
      return error.status
    }
  })
}

/** Shows a cluster, and ends this process. */
export async function runStatus({ own, sources }: CommandOptions<typeof ownTables.status>): Promise<never> {
  const { env, stdout } = process
  // Only looked at: nothing is done that the file says.
  const target = { ...completeTarget({ ...own, sources }, env), ofAnybody: true }
  const { follow, interval, timeout = follow ? followTimeout : defaults.callTimeout } = own
  return await ending(async (signals) => {
    const { signal } = signals
    const end = monotonic() + timeout
    const cluster = await needCluster(target, 'Cannot ask', { timeout, signal })
    if (cluster.owner !== undefined) say(`${formatTarget(target)} belongs to ${cluster.owner}`)
    const options = { timeout, signal, env }
    if (!follow) {
      const constants = await askConstants(cluster, { ...options, timeout: leftUntil(end) })
      const status = describeCluster(target, cluster, constants)
      await print(`${own.json ? json(status, 2) : formatStatus(status)}\n`, signal)
      return 0
    }
    const textOf = (status: ClusterStatus): string => {
      if (own.json) return `${json(status)}\n`
      const shown = printableLines(formatStatus(status))
      return stdout.isTTY ? redrawn(shown) : `${status.time}\n${shown}\n\n`
    }
    const show = async (status: ClusterStatus): Promise<void> => {
      if (!(await draw(textOf(status), signal))) process.exit(0)
    }
    try {
      await followCluster(target, cluster, { ...options, interval, onStatus: show, onSilence: say })
    } catch (error) {
      // INT is how a person ends it.
      if (signals.by === 'SIGINT') return 0
      throw error
    }
    say(`the cluster of ${formatTarget(target)} has ended`)
    return 0
  })
}

/** Ends a cluster, and this process. */
export async function runStop({ own, sources }: CommandOptions<typeof ownTables.stop>): Promise<never> {
  const target = completeTarget({ ...own, sources }, process.env)
  const { timeout } = own
  return await ending(async ({ signal }) => {
    using progress = new ProgressLine({ prefix: 'dask-hpc-runner: ' })
    const onProgress = (text: string): void => {
      progress.say(printable(text))
    }
    const stopped = await stopCluster({ target, timeout, signal, onProgress })
    progress.end()
    if (stopped.kind === 'nothing') {
      await print(`${printable(`Nothing to stop at ${stopped.why}`)}\n`, signal)
      return 0
    }
    const status = stopped.runStatus === undefined ? '' : `, which ends with status ${stopped.runStatus}`
    const left = stopped.fileIsLeft ? `; its file ${formatTarget(target)} is left` : ''
    await print(`Stopped ${formatCluster(stopped)}${status}${left}\n`, signal)
    return 0
  })
}

/** Prints how another shell or notebook joins a cluster, or removes what was kept for that, and ends this process. */
export async function runEnv({ own, sources }: CommandOptions<typeof ownTables.env>): Promise<never> {
  const { env } = process
  return await ending(async ({ signal }) => {
    const target = completeTarget({ ...own, sources }, env)
    if (own.remove) {
      if (!('path' in target)) throw new RangeError('Cannot use --remove: name the --scheduler-file')
      const { gone, all } = await forgetCertificates(target.path)
      say(gone.length === 0 ? `nothing is kept for "${target.path}"` : `removed "${gone.join('", "')}"`)
      await draw(unsetLines(env, { schedulerFile: target.path, directories: all }), signal)
      return 0
    }
    const environment = await joinEnvironment(target, { timeout: own.timeout, signal })
    for (const value of Object.values(joinVariables(environment)))
      if (printable(value) !== value)
        throw new RunnerError(
          `Cannot print "${printable(value)}": it has a control character in it; use another path`,
          {
            code: 'ERR_ENVIRONMENT',
          },
        )
    const { tls, kept } = environment
    if (kept && tls !== undefined)
      say(
        `the certificates of the run are in "${dirname(tls.cert)}", and worth nothing after it; ` +
          'the same command with --remove removes them',
      )
    if (tls === undefined && demandsTls(env))
      say(
        "warning: Dask's configuration demands encryption here (DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION), and this cluster has none: " +
          'unset that variable',
      )
    await draw(own.python ? pythonLines(environment) : shellLines(environment), signal)
    return 0
  })
}

/** Ends the process with the status that `work` gives, or with 128+n where signal n came. */
async function ending(work: Parameters<typeof withCommandSignals>[0]): Promise<never> {
  process.stderr.on('error', () => undefined)
  forceExit(await withCommandSignals(work))
}

/** JSON for whatever reads it, a terminal as well: of control characters it has no need. */
function json(value: unknown, indent?: number): string {
  return printableLines(JSON.stringify(value, undefined, indent))
}

/** For a terminal, in the place of what was there; what does not fit is left out. */
function redrawn(text: string): string {
  const lines = text.split('\n').slice(0, Math.max(5, (process.stdout.rows || 24) - 1))
  return `\u{1b}[H${lines.map((line) => `${line}\u{1b}[K\n`).join('')}\u{1b}[J`
}

/** How many tasks of a step wait like this one, perhaps. */
function tasksOf(env: NodeJS.ProcessEnv): number {
  const tasks = env.SLURM_STEP_ID === undefined ? NaN : Number(env.SLURM_STEP_NUM_TASKS)
  return Number.isInteger(tasks) && tasks > 0 ? tasks : 1
}
