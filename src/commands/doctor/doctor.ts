import { hostname } from 'node:os'
import { once } from 'node:events'
import { defaults } from '../../defaults.ts'
import { exitStatuses } from '../../errors.ts'
import { Child } from '../../process/child.ts'
import { formatExit, signalStatus } from '../../process/exit.ts'
import { parseMessage } from '../../process/messages.ts'
import { Reaper } from '../../process/reaper.ts'
import { withLauncherPipe } from '../../runners/mpi/launcher-pipe.ts'
import { InterruptedError } from '../../identity/run-context.ts'
import { deferred } from '../../util/deferred.ts'
import { forOwnProcess } from '../../util/own-process.ts'
import { formatDuration } from '../../util/duration.ts'
import { settledWithin, sleepUnref } from '../../util/wait.ts'
import { CommandSignals } from '../cluster/command-signals.ts'
import { type DoctorMessage, doctorMessageSchema, type DoctorOrders } from './examine.ts'
import { type Finding, found, hasProblem } from './finding.ts'
import { probeTimeout, pythonTimeout } from './probe.ts'

/** How a doctor is started. */
export interface DoctorOptions extends DoctorOrders {
  /** The command that calls {@link examine} with the orders that it reads as a line of its standard input. */
  readonly examiner: readonly [string, ...string[]]
}

/** What came of it. */
export interface Diagnosis {
  readonly findings: readonly Finding[]
  /** Whether another process of the job tells it. */
  readonly silent: boolean
  /** 0, 78 with a problem, or 128+n where a signal ended it. */
  readonly status: number
}

/** How long an examiner may take to remove what it has made. In milliseconds. */
const endingGrace = 6_000

/** How an examination ended. */
type End =
  | { readonly kind: 'done'; readonly silent: boolean }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'broken'; readonly why: string }

/**
 * Examines this process and the others of its job, in a process of its own: one that has touched a
 * filesystem that hangs can neither go on nor end.
 */
export async function doctor({ examiner, ...orders }: DoctorOptions): Promise<Diagnosis> {
  await using reaper = new Reaper()
  using signals = new CommandSignals()
  const examination = new Examination(examiner, reaper)
  const longest = 3 * pythonTimeout(defaults.rendezvousTimeout) + 3 * probeTimeout + 2 * orders.timeout
  const late = sleepUnref(longest).then((): End => ({
    kind: 'broken',
    why: `no end within ${formatDuration(longest)}`,
  }))
  const end = await Promise.race([examination.run(orders), untilInterrupted(signals), late])
  await examination.close()
  switch (end.kind) {
    case 'done':
      return { findings: examination.findings, silent: end.silent, status: statusOf(examination.findings) }
    case 'signal':
      return { findings: [], silent: true, status: signalStatus(end.signal) }
    case 'broken': {
      const why = found('problem', 'doctor', `Cannot examine everything on ${hostname()}: ${end.why}`)
      const findings = [...examination.findings, why]
      return { findings, silent: false, status: statusOf(findings) }
    }
  }
}

function statusOf(findings: readonly Finding[]): number {
  return hasProblem(findings) ? exitStatuses.ERR_ENVIRONMENT : 0
}

/** The process that examines, and what it has told. */
class Examination {
  readonly findings: Finding[] = []
  readonly #reaper: Reaper
  readonly #child: Child
  readonly #done = deferred<End>()

  constructor(command: readonly [string, ...string[]], reaper: Reaper) {
    this.#reaper = reaper
    this.#child = new Child({
      command,
      // A call that hangs keeps a thread for ever; the others need some too.
      ...withLauncherPipe(forOwnProcess({ ...process.env, UV_THREADPOOL_SIZE: '16' })),
      reaper,
      stdin: 'pipe',
      output: (lines, stream) => {
        if (stream === 'stdout') for (const line of lines) this.#hear(line)
        return undefined
      },
    })
  }

  async run(orders: DoctorOrders): Promise<End> {
    this.#child.stdin?.write(`${JSON.stringify(orders)}\n`)
    const early = this.#child.exited.then((exit): End => {
      const words = this.#child.tail.filter((line) => !line.startsWith('{'))
      return { kind: 'broken', why: [`the examination ${formatExit(exit)}`, ...words].join('\n') }
    })
    return await Promise.race([this.#done.promise, early])
  }

  /** Has it remove what it has made, and ends it; one that hangs is left to end when it can. */
  async close(): Promise<void> {
    this.#child.stdin?.end()
    if (await settledWithin(this.#child.exited, endingGrace)) return
    this.#child.kill()
    this.#child.unref()
  }

  #hear(line: string): void {
    // Something else may print there too, such as a program of NODE_OPTIONS.
    const message: DoctorMessage | undefined = parseMessage(doctorMessageSchema, line)
    switch (message?.type) {
      case 'expected':
        this.#reaper.expectDirectory(message.path)
        break
      case 'directory':
        this.#reaper.addDirectory(message)
        break
      case 'finding':
        this.findings.push(message.finding)
        break
      case 'done':
        this.#done.resolve({ kind: 'done', silent: message.silent })
        break
      case undefined:
        break
    }
  }
}

/** Settles at the first signal that ends a run. */
async function untilInterrupted({ signal }: CommandSignals): Promise<End> {
  if (!signal.aborted) await once(signal, 'abort')
  const reason: unknown = signal.reason
  return { kind: 'signal', signal: reason instanceof InterruptedError ? reason.signal : 'SIGTERM' }
}
