import { defaults } from './defaults.ts'
import type { LogFormat } from './logger.ts'
import { type Duration, milliseconds } from './util/duration.ts'
import { hasControlCharacters } from './util/control-characters.ts'
import { readPorts } from './util/ports.ts'
import { printable } from './util/printable.ts'
import { absolutePath } from './util/surroundings.ts'
import { exitSurely } from './util/unanswered.ts'

/** Which process hosts what: see {@link RunnerOptions.layout}. */
export type Layout = 'exclusive' | 'shared'
/** What makes a process one of n: its node, its task, or whichever of the two fits. */
export type IdentityKind = 'auto' | 'node' | 'task'
/** How a process learns that something was published. */
export type WatchMode = 'auto' | 'poll' | 'events'

/** The options of `dask scheduler` and `dask worker` that are passed on under Dask's own names. */
export interface DaskOptions {
  /** Workers of each worker process. @default 1 */
  readonly nworkers?: number
  /** Threads of each worker. @default its share of the CPUs that its process has */
  readonly nthreads?: number
  /** Memory of each worker in Dask's notation: bytes, `4GiB`, `0.5`, `auto`, `0` for no limit. @default its share of what its process has */
  readonly memoryLimit?: string
  /** Directory for data that workers spill to disk. @default a private directory on the node, removed at the end */
  readonly localDirectory?: string
  /**
   * Network interface to listen on: a name such as `ib0`, a network such as `10.1.0.0/16`, or several
   * with commas between them in order of preference.
   * @default in a run of several nodes the network of the workload manager, else Dask's choice
   */
  readonly interface?: string
  /** The same for the scheduler alone. */
  readonly schedulerInterface?: string
  /** The same for the workers alone. */
  readonly workerInterface?: string
  /** Port of the scheduler, or a range such as `8786:8790`. @default a free one */
  readonly port?: string
  /** Port of each worker, or a range. @default a free one */
  readonly workerPort?: string
  /** Port of each nanny, or a range. @default a free one */
  readonly nannyPort?: string
  /** Address that a worker tells others, where that is not the one it listens on. */
  readonly contactAddress?: string
  /** Address that a worker listens on, such as `tcp://0.0.0.0:9000`. */
  readonly listenAddress?: string
  /** Address or host name to listen on. @default every interface; 127.0.0.1 for `local` */
  readonly host?: string
  /** `tcp` or another protocol that the user's Dask has. @default 'tcp' */
  readonly protocol?: string
  /** PEM file of the certificates that sign those of scheduler, workers and clients, for the protocol `tls`. */
  readonly tlsCaFile?: string
  /** PEM file of the certificate of scheduler and workers, and of the client program. */
  readonly tlsCert?: string
  /** PEM file of its key. @default in the file of the certificate */
  readonly tlsKey?: string
  /** Import path of the worker class. @default 'dask.distributed.Worker' */
  readonly workerClass?: string
  /** Abstract resources of each worker, such as `GPU=1 MEM=2e9`. */
  readonly resources?: string
  /** Time after which a worker ends by itself, in Dask's notation. */
  readonly lifetime?: string
  /** Time after which a worker without its scheduler ends, in Dask's notation. */
  readonly deathTimeout?: string
  /** Put each worker under one of Dask's nannies. @default false */
  readonly nanny?: boolean
  /** Serve the dashboard. @default true */
  readonly dashboard?: boolean
  /** Where the scheduler serves its dashboard. @default ':0', a free port */
  readonly dashboardAddress?: string
  /** Modules, files or texts that scheduler and workers load at their start. */
  readonly preload?: readonly string[]
}

/** Options of every runner; each is a flag of the command line in camelCase. */
export interface RunnerOptions extends DaskOptions {
  /**
   * Path of the published Dask scheduler file; `{job_id}`, `{step_id}` and `{restart}` are filled in.
   * @default 'scheduler-{job_id}.{step_id}.json' in the working directory
   */
  readonly schedulerFile?: string
  /**
   * `exclusive`: process 0 hosts the scheduler, 1 the client, the rest workers. `shared`: process 0
   * hosts all three and every other a worker; the only one for worlds of 1 and 2.
   * @default 'exclusive'
   */
  readonly layout?: Layout
  /** @default 'auto': the node where each has one task, else the task */
  readonly identity?: IdentityKind
  /** Host a client. @default true */
  readonly client?: boolean
  /** Start a scheduler; false adds workers to the cluster of an existing scheduler file. @default true */
  readonly scheduler?: boolean
  /** @default 'auto': events where the filesystem is local, polling elsewhere */
  readonly watch?: WatchMode
  /** Time between two looks into the run's directory. @default 100 ms, growing with the number of processes */
  readonly pollInterval?: Duration
  /** Looks a second that all processes of the job together may take at the filesystem while they wait. @default 200 */
  readonly metadataBudget?: number
  /** Start the client only when so many workers run, or `all` that the run starts. @default it starts at once */
  readonly waitWorkers?: number | 'all'
  /** How long these workers may take. @default '5m' */
  readonly workersTimeout?: Duration
  /** With fewer workers than these the run ends; those that are being started again count. @default 1 */
  readonly minWorkers?: number
  /** How often a worker is started again that has crashed. @default 3 */
  readonly workerRestarts?: number
  /** Silence of a process, or time that one stays stopped, after which it counts as lost. @default '20s' */
  readonly lostAfter?: Duration
  /** Command, for a shell, that runs beside the client program when a signal ends the run. @default none */
  readonly onTerminate?: string
  /** File for a report of the run's end, as JSON; placeholders as in `schedulerFile`. @default none */
  readonly report?: string
  /** Have the workload manager end the step where lost processes would hold it. @default true */
  readonly scancel?: boolean
  /** Port of the channel between the processes of the run, or a range. @default a free one */
  readonly controlPort?: string
  /** How long a process waits for the others of its run. @default '5m' */
  readonly rendezvousTimeout?: Duration
  /** How long the filesystem of the scheduler file may take for one step of the run. @default '25s' */
  readonly filesystemTimeout?: Duration
  /** From the signal that ends a run to the end of its last process. @default '20s' */
  readonly grace?: Duration
  /** The Python that has Dask. @default the active environment's, else the first `python3` on PATH that has it */
  readonly python?: string
  /** @default 'text' */
  readonly logFormat?: LogFormat
  /**
   * For `MPIRunner`: the MPI library to meet by, as a path or a name; `none` for the scheduler file instead.
   * @default that of the launcher's kind, where the environment or the loader finds it
   */
  readonly mpiLibrary?: string
  /** For `MPIRunner`: a word that is the same in all processes of this run and in no other run. @default the launcher's */
  readonly runId?: string
  /** Give children the variables of the launching MPI or PMI too. @default false */
  readonly keepMpiEnv?: boolean
  /**
   * Where the client is the caller's code, start the Python process that its `Client` needs while this process
   * waits for the cluster. @default true
   */
  readonly warmClient?: boolean
  /** Run this as the client program. @default the client is the caller's code after `start` */
  readonly command?: readonly [string, ...string[]]
  /** Ends the run when it aborts. */
  readonly signal?: AbortSignal
  /** Ends a process that is not the client's, or whose own code no run is left for. @default process.exit */
  readonly exit?: (status: number) => never
  /** The environment that identity and the Python are found in, and that children inherit. @default process.env */
  readonly env?: NodeJS.ProcessEnv
}

type Filled =
  | 'schedulerFile'
  | 'layout'
  | 'identity'
  | 'client'
  | 'scheduler'
  | 'watch'
  | 'pollInterval'
  | 'metadataBudget'
  | 'rendezvousTimeout'
  | 'filesystemTimeout'
  | 'grace'
  | 'workersTimeout'
  | 'minWorkers'
  | 'workerRestarts'
  | 'lostAfter'
  | 'scancel'
  | 'logFormat'
  | 'keepMpiEnv'
  | 'warmClient'
  | 'nworkers'
  | 'nanny'
  | 'env'
  | 'exit'

/** Validated options with every default filled in: durations in milliseconds, paths absolute. */
export interface CompleteOptions extends Omit<RunnerOptions, Filled> {
  readonly schedulerFile: string
  readonly layout: Layout
  readonly identity: IdentityKind
  readonly client: boolean
  readonly scheduler: boolean
  readonly watch: WatchMode
  /** Undefined: chosen by the number of processes. */
  readonly pollInterval: number | undefined
  readonly metadataBudget: number
  readonly rendezvousTimeout: number
  readonly filesystemTimeout: number
  readonly workersTimeout: number
  readonly minWorkers: number
  readonly workerRestarts: number
  readonly lostAfter: number
  readonly scancel: boolean
  readonly grace: number
  readonly logFormat: LogFormat
  readonly keepMpiEnv: boolean
  readonly warmClient: boolean
  readonly nworkers: number
  readonly nanny: boolean
  readonly env: Readonly<NodeJS.ProcessEnv>
  readonly exit: (status: number) => never
}

/**
 * Validates options and fills in the defaults. Placeholders in the path are left for the run key.
 *
 * @param say how messages name an option: as the library does, or as it is typed
 * @throws RangeError where a value is outside of what its option takes.
 */
export function completeOptions(
  options: RunnerOptions,
  say: (option: string) => string = (option) => option,
): CompleteOptions {
  const { line, ports, oneOf, interval, wholeNumber } = checks(say)
  const schedulerFile = options.schedulerFile ?? defaults.schedulerFile
  if (schedulerFile === '') throw new RangeError('Cannot use the scheduler file "": write a path')
  if ((options.tlsCaFile === undefined) !== (options.tlsCert === undefined))
    throw new RangeError(`Cannot use TLS with half of its files: name both ${say('tlsCaFile')} and ${say('tlsCert')}`)
  if (options.scheduler === false && options.schedulerFile === undefined)
    throw new RangeError('Cannot run without a scheduler: name the scheduler file of the cluster to join')
  if (options.runId !== undefined && !/^[A-Za-z0-9._-]{1,64}$/.test(options.runId))
    throw new RangeError(
      `Cannot use ${say('runId')} "${options.runId}": it is up to 64 of letters, digits, ".", "_" and "-"`,
    )
  for (const name of ['schedulerFile', 'localDirectory', 'report', 'python', 'mpiLibrary'] as const)
    line(name, options[name])
  return Object.freeze({
    ...options,
    schedulerFile: absolutePath(schedulerFile),
    layout: oneOf('layout', options.layout ?? defaults.layout, ['exclusive', 'shared']),
    identity: oneOf('identity', options.identity ?? defaults.identity, ['auto', 'node', 'task']),
    client: options.client ?? true,
    scheduler: options.scheduler ?? true,
    watch: oneOf('watch', options.watch ?? defaults.watch, ['auto', 'poll', 'events']),
    pollInterval: options.pollInterval === undefined ? undefined : interval('pollInterval', options.pollInterval),
    metadataBudget: wholeNumber('metadataBudget', options.metadataBudget ?? defaults.metadataBudget, 1),
    rendezvousTimeout: interval('rendezvousTimeout', options.rendezvousTimeout ?? defaults.rendezvousTimeout),
    filesystemTimeout: interval('filesystemTimeout', options.filesystemTimeout ?? defaults.filesystemTimeout),
    ...(options.waitWorkers === undefined || options.waitWorkers === 'all'
      ? {}
      : { waitWorkers: wholeNumber('waitWorkers', options.waitWorkers, 1) }),
    workersTimeout: interval('workersTimeout', options.workersTimeout ?? defaults.workersTimeout),
    minWorkers: wholeNumber('minWorkers', options.minWorkers ?? defaults.minWorkers, 0),
    workerRestarts: wholeNumber('workerRestarts', options.workerRestarts ?? defaults.workerRestarts, 0),
    lostAfter: interval('lostAfter', options.lostAfter ?? defaults.lostAfter),
    scancel: options.scancel ?? true,
    grace: interval('grace', options.grace ?? defaults.grace),
    ...ports('port', options.port),
    ...ports('controlPort', options.controlPort),
    logFormat: oneOf('logFormat', options.logFormat ?? 'text', ['text', 'json']),
    keepMpiEnv: options.keepMpiEnv ?? false,
    warmClient: options.warmClient ?? true,
    nworkers: wholeNumber('nworkers', options.nworkers ?? defaults.nworkers, 1),
    ...(options.nthreads === undefined ? {} : { nthreads: wholeNumber('nthreads', options.nthreads, 1) }),
    nanny: options.nanny ?? false,
    env: options.env ?? process.env,
    exit: options.exit ?? exitSurely,
  })
}

/** The checks of values, which name an option as `say` does. */
function checks(say: (option: string) => string) {
  function line(name: string, text: string | undefined): void {
    if (text !== undefined && hasControlCharacters(text))
      throw new RangeError(
        `Cannot use ${say(name)} "${printable(text)}": it has control characters in it, such as the end of a line`,
      )
  }

  function ports<const T extends string>(name: T, text: string | undefined): Partial<Record<T, string>> {
    if (text === undefined) return {}
    readPorts(say(name), text)
    return { [name]: text } as Partial<Record<T, string>>
  }

  function oneOf<const T extends string>(name: string, value: string, values: readonly T[]): T {
    const found = values.find((candidate) => candidate === value)
    if (found === undefined)
      throw new RangeError(`Cannot use ${say(name)} "${value}": it is one of ${values.join(', ')}`)
    return found
  }

  function interval(name: string, duration: Duration): number {
    const ms = milliseconds(duration, say(name))
    if (ms === 0) throw new RangeError(`Cannot use ${say(name)} "${duration}": it must be longer than nothing`)
    return Math.min(ms, longestTimer)
  }

  function wholeNumber(name: string, value: number, least: number): number {
    if (Number.isInteger(value) && value >= least) return value
    throw new RangeError(`Cannot use ${say(name)} "${value}": it is a whole number from ${least}`)
  }

  return { line, ports, oneOf, interval, wholeNumber }
}

/** Node's timers hold no more, and fire a longer one at once. In milliseconds: 24 days. */
const longestTimer = 2 ** 31 - 1
