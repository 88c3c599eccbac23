import { type Command, Option } from 'commander'
import { defaults } from '../defaults.ts'
import type { RunnerKind } from '../runner/choose.ts'
import type { LogFormat } from '../logger.ts'
import { completeOptions, type IdentityKind, type Layout, type RunnerOptions, type WatchMode } from '../options.ts'
import { sayDuration } from '../util/duration.ts'

/** The flags of `run`, `local` and `plan` as commander gives them. */
export interface RunFlags {
  runner: 'auto' | RunnerKind
  mpiLibrary?: string
  runId?: string
  schedulerFile?: string
  layout: Layout
  identity: IdentityKind
  client: boolean
  scheduler: boolean
  watch: WatchMode
  pollInterval?: string
  metadataBudget?: string
  rendezvousTimeout?: string
  grace?: string
  python?: string
  logFormat: LogFormat
  keepMpiEnv?: boolean
  nworkers?: string
  nthreads?: string
  memoryLimit?: string
  localDirectory?: string
  interface?: string
  schedulerInterface?: string
  workerInterface?: string
  port?: string
  workerPort?: string
  nannyPort?: string
  contactAddress?: string
  listenAddress?: string
  controlPort?: string
  host?: string
  protocol?: string
  workerClass?: string
  tlsCaFile?: string
  tlsCert?: string
  tlsKey?: string
  waitWorkers?: string
  minWorkers?: string
  workerRestarts?: string
  lostAfter?: string
  onTerminate?: string
  report?: string
  scancel: boolean
  workersTimeout?: string
  filesystemTimeout?: string
  resources?: string
  lifetime?: string
  deathTimeout?: string
  nanny: boolean
  dashboard: boolean
  dashboardAddress?: string
  preload?: string[]
}

/** Adds the options that a run takes. */
export function addRunOptions(command: Command): Command {
  const ofOurs = 'Options of the run:'
  const ofDask = "Dask's own options, passed on to scheduler and workers:"
  const add = (
    group: string,
    flags: string,
    description: string,
    extra: (option: Option) => Option = (o) => o,
  ): void => {
    command.addOption(extra(new Option(flags, description).helpGroup(group)))
  }
  add(
    ofOurs,
    '--scheduler-file <path>',
    `where the Dask scheduler file is published; {job_id}, {step_id} and {restart} are filled in (default: ${defaults.schedulerFile})`,
  )
  add(
    ofOurs,
    '--layout <layout>',
    'exclusive: process 0 hosts the scheduler, 1 the client, the rest workers; shared: 0 hosts all three',
    (o) => o.choices(['exclusive', 'shared']).default(defaults.layout),
  )
  add(ofOurs, '--identity <kind>', 'what makes a process one of n: its node or its task', (o) =>
    o.choices(['auto', 'node', 'task']).default(defaults.identity),
  )
  add(ofOurs, '--no-client', 'host no client: process 1 is a worker too')
  add(ofOurs, '--no-scheduler', 'add workers to the cluster of an existing scheduler file')
  add(ofOurs, '--watch <mode>', 'how to learn that the file is there', (o) =>
    o.choices(['auto', 'poll', 'events']).default(defaults.watch),
  )
  add(
    ofOurs,
    '--poll-interval <time>',
    `time between two looks (default: ${sayDuration(defaults.pollInterval)}, more in a large job)`,
  )
  add(
    ofOurs,
    '--metadata-budget <n>',
    `operations a second that the whole job may ask of the filesystem while it waits (default: ${defaults.metadataBudget})`,
  )
  add(
    ofOurs,
    '--rendezvous-timeout <time>',
    `how long to wait for the other processes (default: ${sayDuration(defaults.rendezvousTimeout)})`,
  )
  add(
    ofOurs,
    '--filesystem-timeout <time>',
    `how long the scheduler file's filesystem may take to answer (default: ${sayDuration(defaults.filesystemTimeout)})`,
  )
  add(ofOurs, '--wait-workers <n>', 'start the program only when so many workers run, or "all" (default: at once)')
  add(
    ofOurs,
    '--workers-timeout <time>',
    `how long these workers may take (default: ${sayDuration(defaults.workersTimeout)})`,
  )
  add(ofOurs, '--min-workers <n>', `with fewer workers the run ends (default: ${defaults.minWorkers})`)
  add(
    ofOurs,
    '--worker-restarts <n>',
    `how often a worker is started again that has crashed (default: ${defaults.workerRestarts})`,
  )
  add(
    ofOurs,
    '--lost-after <time>',
    `silence of a process after which it counts as lost (default: ${sayDuration(defaults.lostAfter)})`,
  )
  add(ofOurs, '--on-terminate <command>', 'shell command that runs beside the program when a signal ends the run')
  add(ofOurs, '--report <path>', 'write how the run ended, as JSON; placeholders as in --scheduler-file')
  add(ofOurs, '--no-scancel', 'do not have Slurm end the step where lost processes would hold it')
  add(
    ofOurs,
    '--control-port <ports>',
    'port of the channel between the processes: 9000 or 9000:9010 (default: a free one)',
  )
  add(
    ofOurs,
    '--grace <time>',
    `from the signal that ends the run to the end of its last process (default: ${sayDuration(defaults.grace)})`,
  )
  add(
    ofOurs,
    '--python <path>',
    "the Python that has Dask (default: the active environment's, else the first python3 on PATH that has it)",
  )
  add(ofOurs, '--log-format <format>', "form of the runner's own messages", (o) =>
    o.choices(['text', 'json']).default('text'),
  )
  add(ofOurs, '--runner <runner>', 'whose processes these are: those of srun, or of mpirun', (o) =>
    o.choices(['auto', 'slurm', 'mpi']).default('auto'),
  )
  add(
    ofOurs,
    '--mpi-library <library>',
    "under mpirun: the MPI library to meet by, or none (default: that of the launcher's kind)",
  )
  add(ofOurs, '--run-id <word>', 'under mpirun: what tells this run from others, the same in all of its processes')
  add(ofOurs, '--keep-mpi-env', "give the children the MPI launcher's variables too")
  add(ofDask, '--nworkers <n>', 'workers of each worker process (default: 1)')
  add(ofDask, '--nthreads <n>', 'threads of each worker')
  add(ofDask, '--memory-limit <size>', 'memory of each worker: bytes, 4GiB, 0.5, auto, 0')
  add(ofDask, '--local-directory <path>', 'where workers spill data to disk')
  add(ofDask, '--interface <name>', 'network interface (ib0), network (10.1.0.0/16), or several in order of preference')
  add(ofDask, '--scheduler-interface <name>', 'the same for the scheduler alone')
  add(ofDask, '--worker-interface <name>', 'the same for the workers alone')
  add(ofDask, '--port <ports>', 'port of the scheduler: 8786 or 8786:8790 (default: a free one)')
  add(ofDask, '--worker-port <ports>', 'port of each worker')
  add(ofDask, '--nanny-port <ports>', 'port of each nanny')
  add(ofDask, '--contact-address <address>', 'address that a worker tells others')
  add(ofDask, '--listen-address <address>', 'address that a worker listens on')
  add(ofDask, '--host <address>', 'address to listen on')
  add(ofDask, '--protocol <name>', 'such as tcp or tls')
  add(ofDask, '--tls-ca-file <path>', 'certificates that sign those of the cluster, PEM, for --protocol tls')
  add(ofDask, '--tls-cert <path>', 'certificate of scheduler, workers and the program, PEM')
  add(ofDask, '--tls-key <path>', 'its key, PEM')
  add(ofDask, '--worker-class <path>', 'import path of the worker class')
  add(ofDask, '--resources <list>', 'resources of each worker: "GPU=1 MEM=2e9"')
  add(ofDask, '--lifetime <time>', 'time after which a worker ends')
  add(ofDask, '--death-timeout <time>', 'time without a scheduler after which a worker ends')
  add(ofDask, '--nanny', "put each worker under one of Dask's nannies", (o) => o.default(false))
  add(ofDask, '--no-nanny', 'the default: the runner watches over the workers')
  add(ofDask, '--dashboard-address <address>', 'where the scheduler serves its dashboard (default: :0, a free port)')
  add(ofDask, '--no-dashboard', 'serve no dashboard')
  add(ofDask, '--preload <module>', 'module or file that scheduler and workers load; may be repeated', (o) =>
    o.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]),
  )
  return command
}

/**
 * The library's options for these flags.
 *
 * @throws RangeError where the value of one cannot be used; it is named as it is typed.
 */
export function runnerOptions(flags: RunFlags): RunnerOptions {
  const {
    nworkers,
    nthreads,
    waitWorkers,
    minWorkers,
    workerRestarts,
    metadataBudget,
    runner: _runner,
    ...same
  } = flags
  const options: RunnerOptions = {
    ...same,
    ...(nworkers === undefined ? {} : { nworkers: wholeNumber('--nworkers', nworkers) }),
    ...(waitWorkers === undefined
      ? {}
      : { waitWorkers: waitWorkers === 'all' ? 'all' : wholeNumber('--wait-workers', waitWorkers) }),
    ...(minWorkers === undefined ? {} : { minWorkers: wholeNumber('--min-workers', minWorkers, 0) }),
    ...(workerRestarts === undefined ? {} : { workerRestarts: wholeNumber('--worker-restarts', workerRestarts, 0) }),
    ...(metadataBudget === undefined ? {} : { metadataBudget: wholeNumber('--metadata-budget', metadataBudget) }),
    ...(nthreads === undefined ? {} : { nthreads: wholeNumber('--nthreads', nthreads) }),
  }
  // Whoever runs them completes them too, and would name them as the library does.
  completeOptions(options, (option) => `--${inDashes(option)}`)
  return options
}

function inDashes(option: string): string {
  return option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** @throws RangeError where the text is no whole number from `least`, which is 1 by default. */
export function wholeNumber(flag: string, text: string, least = 1): number {
  if (/^(0|[1-9]\d*)$/.test(text) && Number(text) >= least) return Number(text)
  throw new RangeError(`Cannot use ${flag} "${text}": it is a whole number from ${least}`)
}
