import { vi } from 'vitest'
import type { ClusterPlace } from '../../../src/components/child-environment.ts'
import type { ClientProgram } from '../../../src/components/client-program.ts'
import type { WorkerProcess } from '../../../src/components/local-components.ts'
import { type Exit, formatExit } from '../../../src/process/exit.ts'
import { RunnerError } from '../../../src/errors.ts'
import type { DaskProcess } from '../../../src/python/dask-process.ts'
import type { BoundReport, StartReport } from '../../../src/python/bootstrap-link.ts'
import type { Components } from '../../../src/run/seams.ts'
import { deferred } from '../../../src/util/deferred.ts'

const report: StartReport = {
  identity: { type: 'Scheduler', id: 'Scheduler-1', address: 'tcp://10.0.0.1:8786' },
  versions: { python: '3.11.2', dask: '2022.12.1', distributed: '2022.12.1' },
}

/** A process that is none. It ends when it is told to, or by itself: by {@link end}. */
class FakeProcess {
  readonly name: string
  readonly #did: (what: string) => void
  readonly #exited = deferred<Exit>()
  #hasEnded = false

  constructor(name: string, did: (what: string) => void) {
    this.name = name
    this.#did = did
  }

  get exited(): Promise<Exit> {
    return this.#exited.promise
  }

  /** It ends by itself, or for what it was told. */
  end(status: number, signal: NodeJS.Signals | null = null): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#did(`${this.name} ${formatExit({ status, signal, forced: false })}`)
    this.#exited.resolve({ status: signal === null ? status : null, signal, forced: false })
  }

  kill(): void {
    this.end(0, 'SIGKILL')
  }
}

/** A scheduler or a worker. */
export class FakeDask extends FakeProcess {
  readonly pid = 4711
  readonly tail: string[] = ['its last words']
  hadClient = true
  clientsHadLeft = false
  readonly #bound = deferred<BoundReport>()
  readonly #started = deferred<StartReport>()

  get bound(): Promise<BoundReport> {
    return this.#bound.promise
  }

  get started(): Promise<StartReport> {
    return this.#started.promise
  }

  /** Its port is bound. */
  bind(): void {
    this.#bound.resolve({ address: 'tcp://10.0.0.1:8786', connect: false, link: false })
  }

  /** It has come to run. */
  begin(): void {
    this.#started.resolve(report)
  }

  override end(status: number, signal: NodeJS.Signals | null = null): void {
    super.end(status, signal)
    this.#started.reject(
      new RunnerError(`Cannot start ${this.name}`, { code: 'ERR_COMPONENT_LOST', lastLines: this.tail }),
    )
  }

  async stop(): Promise<Exit> {
    this.end(0)
    return await this.exited
  }

  unref(): void {
    // There is nothing.
  }
}

/** A client program, which ends by TERM unless it is `stubborn`. */
export class FakeProgram extends FakeProcess {
  readonly whyNotStarted = undefined
  readonly signals: NodeJS.Signals[] = []
  isStubborn = false

  signal(signal: NodeJS.Signals): void {
    this.signals.push(signal)
    if (!this.isStubborn) this.end(0, signal)
  }
}

/** The components of one rank, which start nothing. */
export class FakeComponents {
  readonly rank: number
  /** What happened to them, in its order. */
  readonly #did: (what: string) => void
  scheduler: FakeDask | undefined
  client: FakeProgram | undefined
  /** What the program was told of the cluster. */
  place: ClusterPlace | undefined
  readonly workers: FakeDask[] = []
  /** Whether schedulers and workers come to run by themselves. */
  doStart = true
  /** Whether a scheduler's port is bound by itself. */
  doBind = false

  constructor(rank: number, did: (what: string) => void) {
    this.rank = rank
    this.#did = did
  }

  /** As a run takes them. */
  get asComponents(): Components {
    return this as unknown as Components
  }

  readonly python = Promise.resolve('/usr/bin/python3')
  readonly preload = vi.fn()
  readonly cancel = vi.fn()
  readonly preloadClient = vi.fn()
  readonly unref = vi.fn()
  readonly retireWorkers = vi.fn()

  async startScheduler(): Promise<DaskProcess> {
    this.scheduler = new FakeDask('scheduler', this.#did)
    if (this.doBind) this.scheduler.bind()
    if (this.doStart) this.scheduler.begin()
    return await Promise.resolve(this.scheduler as unknown as DaskProcess)
  }

  async planWorkers(): Promise<unknown> {
    const name = `worker ${this.rank}`
    const start = async (): Promise<WorkerProcess> => {
      const worker = new FakeDask(name, this.#did)
      this.workers.push(worker)
      if (this.doStart) worker.begin()
      return await Promise.resolve(worker as unknown as WorkerProcess)
    }
    return await Promise.resolve([{ name, memoryLimit: `${2 ** 28}`, start }])
  }

  async lookAtProgram(): Promise<void> {
    await Promise.resolve()
  }

  startClient(_command: readonly string[], place: ClusterPlace): ClientProgram {
    this.place = place
    this.client = new FakeProgram('program', this.#did)
    return this.client as unknown as ClientProgram
  }

  startEndingCommand(): ClientProgram {
    return new FakeProgram('ending command', this.#did) as unknown as ClientProgram
  }

  async stopWorkers(): Promise<void> {
    for (const worker of this.workers) await worker.stop()
  }

  kill(): void {
    for (const each of [this.client, this.scheduler, ...this.workers]) each?.kill()
  }
}
