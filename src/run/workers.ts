import { messageOf, RunnerError } from '../errors.ts'
import { type Exit, shellStatus, signalStatus } from '../process/exit.ts'
import { formatDuration } from '../util/duration.ts'
import { sleep } from '../util/wait.ts'
import type { RunContext } from '../identity/run-context.ts'
import { failureOf } from './failure.ts'
import { formatEnd, formatMemoryLoss } from './format-end.ts'
import type { WorkerOfCommand } from '../components/command-worker.ts'
import type { StartReport } from '../python/bootstrap-link.ts'
import type { MemoryLoss } from '../python/dask-process.ts'
import type { WorkerPlan, WorkerProcess } from '../components/local-components.ts'
import type { LentHooks } from './hooks.ts'
import type { Member } from './member.ts'
import type { Components } from './seams.ts'
import type { Shutdown } from './shutdown.ts'

/** Time before a crashed worker is started again, the first time; it doubles. In milliseconds. */
const firstBackOff = 1_000
const longestBackOff = 30_000
/** Whoever waits for workers gives up at their time, and says which are missing. In milliseconds. */
const workersGraceMs = 3_000

/** What {@link Workers} has to do with. */
export interface WorkersParts {
  readonly run: RunContext
  readonly components: Components
  /** Tells rank 0. */
  readonly member: Pick<Member, 'send'>
  readonly shutdown: Pick<Shutdown, 'signal'>
  readonly hooks: Pick<LentHooks, 'onWorkerStart'>
}

/** How a worker has ended. */
interface WorkerEnd {
  readonly exit: Exit
  /** It is started again. */
  readonly again: boolean
  readonly memoryLimit: string | undefined
}

/** The workers of this process: rank 0 is told of their starts and ends, and those that crash are started again. */
export class Workers {
  readonly #options: WorkersParts
  readonly #ending = new AbortController()
  /** Those that were killed because they did not come to run. */
  readonly #late = new Set<WorkerProcess>()
  #hasRefused = false
  #hasStarted = false

  constructor(options: WorkersParts) {
    this.#options = options
  }

  /** Starts them all. @throws RunnerError where one cannot be started. */
  async start(schedulerAddress: string): Promise<void> {
    this.#hasStarted = true
    const plans = await this.#options.components.planWorkers(schedulerAddress)
    // The run may have ended meanwhile.
    if (this.#isEnding()) return
    const workers = await Promise.all(plans.map(async (plan) => ({ plan, worker: await this.#startOne(plan) })))
    for (const { plan, worker } of workers) void this.#keep(plan, worker)
  }

  /**
   * From now on an end is no crash. Orders the workers to close, and kills those that take longer than `grace`. In a
   * cluster that goes on without us, what only our workers hold moves to the others first.
   */
  async stop(grace: number): Promise<void> {
    this.#ending.abort()
    if (!this.#hasStarted) return
    const { run, components } = this.#options
    if (!run.options.scheduler) await components.retireWorkers(grace)
    await components.stopWorkers(grace)
  }

  async #startOne(plan: WorkerPlan): Promise<WorkerProcess> {
    const worker = await plan.start((loss) => {
      if (!this.#isEnding()) this.#tellMemoryLoss(plan.name, loss)
    })
    // All that were there have been ended meanwhile.
    if (this.#isEnding()) worker.kill()
    return worker
  }

  async #keep(plan: WorkerPlan, first: WorkerProcess): Promise<void> {
    const { workerRestarts } = this.#options.run.options
    let worker = first
    for (let restarts = 0; restarts <= workerRestarts; restarts++) {
      const started = this.#tellStart(worker)
      const exit = await this.#exitOf(worker)
      if (this.#isEnding()) return
      if (await this.#tellRefusal(worker)) return
      // A command hears a signal to all processes of the step by itself: the run ends, and nothing has crashed.
      const { run, shutdown } = this.#options
      if (run.options.workerCommand !== undefined && shutdown.signal !== undefined) return
      // One that never came to run would fail in the same way again.
      const crashed = shellStatus(exit) !== 0 && ((await started) || restarts > 0)
      const again = crashed && restarts < workerRestarts
      this.#tellEnd(worker, { exit, again, memoryLimit: plan.memoryLimit })
      if (!again) return
      try {
        await sleep(Math.min(longestBackOff, firstBackOff * 2 ** restarts), this.#ending.signal)
        worker = await this.#startOne(plan)
      } catch (error) {
        if (!this.#isEnding()) this.#tellFailure(`Cannot start worker ${plan.name} again: ${messageOf(error)}`)
        return
      }
    }
  }

  /** Whether its Python has found that the value of an option cannot be used: then none of this process's workers will come. */
  async #tellRefusal(worker: WorkerProcess): Promise<boolean> {
    const error = await worker.started.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (!(error instanceof RunnerError) || error.code !== 'ERR_USAGE') return false
    const { run, member } = this.#options
    if (!this.#hasRefused) member.send({ type: 'failed', failure: failureOf(error, run.identity) })
    this.#hasRefused = true
    return true
  }

  #isEnding(): boolean {
    return this.#ending.signal.aborted
  }

  /** Whether it came to run. */
  async #tellStart(worker: WorkerProcess): Promise<boolean> {
    const { run, member, hooks } = this.#options
    const report = await worker.started.catch(() => undefined)
    if (report === undefined) return false
    const name = worker.name.replace(/^worker /, '')
    for (const each of startedWorkers(report)) member.send({ type: 'worker-started', name, ...each })
    try {
      await hooks.onWorkerStart(run, worker.name)
    } catch (error) {
      run.logger.warn(`onWorkerStart of ${worker.name} failed: ${messageOf(error)}`)
    }
    return true
  }

  /** How it has ended; one that does not come to run in its time is killed. */
  async #exitOf(worker: WorkerProcess): Promise<Exit> {
    const timer = setTimeout(() => {
      this.#late.add(worker)
      worker.kill()
    }, this.#options.run.options.workersTimeout + workersGraceMs)
    const settled = (): void => {
      clearTimeout(timer)
    }
    void worker.started.then(settled, settled)
    return await worker.exited.finally(settled)
  }

  #tellEnd(worker: WorkerProcess, { exit, again, memoryLimit }: WorkerEnd): void {
    const { run, member } = this.#options
    const name = worker.name.charAt(0).toUpperCase() + worker.name.slice(1)
    const time = formatDuration(run.options.workersTimeout)
    const how = this.#late.has(worker)
      ? `did not come to run in ${time} (--workers-timeout)`
      : formatEnd(exit, run.options, memoryLimit)
    member.send({
      type: 'worker-ended',
      status: shellStatus(exit),
      again,
      ...(exit.outOfMemory && { of_memory: true }),
      message: `${name} on ${run.identity.host} ${how}`,
      last_lines: [...worker.tail],
    })
  }

  /** A nanny starts its worker again by itself, and nothing of this run ends. */
  #tellMemoryLoss(name: string, loss: MemoryLoss): void {
    const { run, member } = this.#options
    const message = `Worker ${name} on ${run.identity.host} ${formatMemoryLoss(loss, run.options)}`
    const status = signalStatus('SIGKILL')
    member.send({ type: 'worker-ended', status, again: true, of_memory: true, message, last_lines: [] })
  }

  #tellFailure(message: string): void {
    this.#options.member.send({ type: 'worker-ended', status: 1, again: false, message, last_lines: [] })
  }
}

/** The workers that a process or a command has brought. */
function startedWorkers(report: StartReport | readonly WorkerOfCommand[]): readonly Partial<WorkerOfCommand>[] {
  if (!('identity' in report)) return report
  const { address } = report.identity
  return [{ versions: report.versions, ...(typeof address === 'string' ? { address } : {}) }]
}
