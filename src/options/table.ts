import { linkTemplate, size } from './dask-kinds.ts'
import { daskTable } from './dask-table.ts'
import {
  duration,
  oneOf,
  path,
  runDirectory,
  runFile,
  paths,
  ports,
  script,
  text,
  wholeNumber,
  wholeNumberOr,
  yesOrNo,
  Refusal,
} from './kinds.ts'
import type { Rows } from './row.ts'
import { workerCommand } from './worker-command.ts'

// The options of a run. A new one is one row here; flags, variables, --help, docs/options.md, the library's types and
// the checks follow. The comment above a row is what users of the library read.

/** No run has more processes, nor workers: what says so was not meant, and would fill the memory. */
export const mostProcesses = 1_000_000

/** A run's id, which becomes part of file names. */
export const runIdForm = /^[A-Za-z0-9._-]{1,64}$/

/** The name of an environment variable. */
const variableName = text((name) => {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(name)) return name
  throw new Refusal('it is the name of an environment variable: letters, digits and "_", without a "$"')
})

/** The runner's own options, and Dask's. */
export const runTable = {
  /**
   * Path of the published Dask scheduler file; `{job_id}`, `{step_id}` and `{restart}` are filled in.
   * @default 'scheduler-{job_id}.{step_id}.json' in the working directory
   */
  schedulerFile: {
    kind: runFile(),
    default: 'scheduler-{job_id}.{step_id}.json',
    value: 'path',
    group: 'run',
    help: 'where the Dask scheduler file is published; {job_id}, {step_id} and {restart} are filled in',
  },
  /**
   * `exclusive`: rank 0 hosts the scheduler, 1 the client, the rest workers. `shared`: rank 0
   * hosts all three and every other a worker; the only one for worlds of 1 and 2.
   * @default 'exclusive'
   */
  layout: {
    kind: oneOf('exclusive', 'shared'),
    default: 'exclusive',
    value: 'layout',
    group: 'run',
    help: 'exclusive: rank 0 hosts the scheduler, 1 the client, the rest workers; shared: 0 hosts all three',
  },
  /** What makes a process one of n: `auto` is the node where each has one task, else the task. @default 'auto' */
  identity: {
    kind: oneOf('auto', 'node', 'task'),
    default: 'auto',
    value: 'kind',
    group: 'run',
    ofLauncher: true,
    help: 'what makes a process one of n: its node or its task; auto: the node where each has one task',
  },
  /** Host a client. @default true */
  client: {
    kind: yesOrNo(),
    default: true,
    group: 'run',
    help: 'host no client: rank 1 is a worker too',
  },
  /** Start a scheduler; false adds workers to the cluster of an existing scheduler file. @default true */
  scheduler: {
    kind: yesOrNo(),
    default: true,
    group: 'run',
    help: 'add workers to the cluster of an existing scheduler file',
  },
  /** How to learn that something was published: `auto` takes events where the filesystem is local, else it polls. @default 'auto' */
  watch: {
    kind: oneOf('auto', 'poll', 'events'),
    default: 'auto',
    value: 'mode',
    group: 'run',
    help: 'how to learn that the file is there; auto takes events only on local filesystems',
  },
  /** Time between two looks into the run's directory. @default 100 ms, growing with the number of processes */
  pollInterval: {
    kind: duration(),
    otherwise: '100ms, more in a large job',
    value: 'time',
    group: 'run',
    help: 'time between two looks',
  },
  /** Looks a second that all processes of the job together may take at the filesystem while they wait. @default 200 */
  metadataBudget: {
    kind: wholeNumber(1, 1_000_000_000),
    default: 200,
    value: 'n',
    group: 'run',
    help: 'operations a second that the whole job may ask of the filesystem while it waits',
  },
  /** How long a process waits for the others of its run. @default '5m' */
  rendezvousTimeout: {
    kind: duration('1s'),
    default: '5m',
    value: 'time',
    group: 'run',
    help: 'how long to wait for the other processes',
  },
  /** How long the filesystem of the scheduler file may take for one step of the run. @default '25s' */
  filesystemTimeout: {
    kind: duration('1s'),
    default: '25s',
    value: 'time',
    group: 'run',
    help: "how long the scheduler file's filesystem may take for one step of the run",
  },
  /** Start the client only when so many workers run, or `all` that the run starts. @default it starts at once */
  waitWorkers: {
    kind: wholeNumberOr('all', 1, mostProcesses),
    otherwise: 'it starts at once',
    value: 'n',
    group: 'run',
    help: 'start the program only when so many workers run, or "all"',
  },
  /** How long these workers may take. @default '5m' */
  workersTimeout: {
    kind: duration('1s'),
    default: '5m',
    value: 'time',
    group: 'run',
    help: 'how long these workers may take; one that has not come to run by then is killed',
  },
  /** With fewer workers than these the run ends; those that are being started again count. @default 1 */
  minWorkers: {
    kind: wholeNumber(0, mostProcesses),
    default: 1,
    value: 'n',
    group: 'run',
    help: 'with fewer workers the run ends',
  },
  /** How often a worker is started again that has crashed. @default 3 */
  workerRestarts: {
    kind: wholeNumber(0, 1_000_000),
    default: 3,
    value: 'n',
    group: 'run',
    help: 'how often a worker is started again that has crashed',
  },
  /** Silence of a process, or time that one stays stopped, after which it counts as lost. @default '20s' */
  lostAfter: {
    kind: duration('1s'),
    default: '20s',
    value: 'time',
    group: 'run',
    help: 'silence of a process, or time that one stays stopped, after which it counts as lost',
  },
  /** Command, for a shell, that runs beside the client program when a signal ends the run. @default none */
  onTerminate: {
    kind: script(),
    value: 'command',
    group: 'run',
    help: 'shell command that runs beside the program when a signal ends the run',
  },
  /**
   * Files for a report of the run: a page where the name ends in `.html`, else JSON; placeholders as in `schedulerFile`.
   * @default none
   */
  report: {
    kind: paths(),
    value: 'path',
    group: 'run',
    help: 'write a report of the run: a page where the path ends in .html, else JSON; may be given twice; placeholders as in --scheduler-file',
  },
  /** Have the workload manager end the step where lost processes would hold it. @default true */
  scancel: {
    kind: yesOrNo(),
    default: true,
    group: 'run',
    ofLauncher: true,
    help: 'do not have Slurm end the step where lost processes would hold it',
  },
  /** Port of the channel between the processes of the run, or a range. @default a free one */
  controlPort: {
    kind: ports(),
    otherwise: 'a free one',
    value: 'ports',
    group: 'run',
    help: 'port of the channel between the processes: 9000 or 9000:9010',
  },
  /** From the signal that ends a run to the end of its last process. @default '20s' */
  grace: {
    kind: duration(),
    default: '20s',
    value: 'time',
    group: 'run',
    help: 'from the signal that ends the run to the end of its last process',
  },
  /**
   * Begin the end of the run so long before its job ends, as SIGTERM would. Rank 0 decides that by its clock; the grace
   * has to fit in. @default none
   */
  endBefore: {
    kind: duration('1s'),
    value: 'time',
    group: 'run',
    help: 'begin the end of the run so long before the job ends, as a TERM would; longer than --grace',
  },
  /** The Python that has Dask. @default the active environment's, else the first `python3` on PATH that has it */
  python: {
    kind: path(),
    otherwise: "the active environment's, else the first python3 on PATH that has it",
    value: 'path',
    group: 'run',
    help: 'the Python that has Dask',
  },
  /**
   * GPUs of each worker: its lists of visible devices begin with them, and it has so many of the resource `GPU`.
   * 0 leaves the lists as they are. @default an equal part of those that its task sees
   */
  gpusPerWorker: {
    kind: wholeNumber(0, 10_000),
    otherwise: 'an equal part of those that its task sees',
    value: 'n',
    group: 'run',
    help: 'GPUs that each list of visible devices of a worker begins with, and its resource GPU; 0 leaves both alone',
  },
  /**
   * Command in place of Dask's worker, such as `dask cuda worker {scheduler_address} --name {name}`; it is split as a
   * shell splits it, and nothing else of a shell is done. @default Dask's own worker
   */
  workerCommand: {
    kind: workerCommand(),
    otherwise: "Dask's own worker",
    value: 'command',
    group: 'run',
    help: 'command in place of each worker, with {scheduler_address}, {name}, {nthreads}, {memory_limit} and others',
  },
  /** Workers that each worker command brings. @default 1 */
  workersPerCommand: {
    kind: wholeNumber(1, 100_000),
    default: 1,
    value: 'n',
    group: 'run',
    help: 'workers that each --worker-command brings',
  },
  /** Tell of everything that the processes of the run do, each of them. @default false */
  verbose: {
    kind: yesOrNo(),
    default: false,
    group: 'run',
    help: 'tell of everything that the processes of the run do',
  },
  /**
   * From which level on the log of Dask's scheduler and workers is printed.
   * @default what the user's Dask configuration says of logging, else 'warning'
   */
  daskLogLevel: {
    kind: oneOf('debug', 'info', 'warning', 'error', 'critical'),
    otherwise: 'what your Dask configuration says of logging, else warning',
    value: 'level',
    group: 'run',
    help: "from which level on the log of Dask's scheduler and workers is printed",
  },
  /**
   * Directory for the log files of all ranks: everything that they, the scheduler and the workers have to say. It is made if
   * it is missing; placeholders as in `schedulerFile`. @default none
   */
  logDirectory: {
    kind: runDirectory(),
    value: 'path',
    group: 'run',
    help: 'keep all that the ranks and Dask have to say in files there; placeholders as in --scheduler-file',
  },
  /** What a log file takes at most, with the one before it. @default '100MB' */
  logLimit: {
    kind: size('64kB'),
    default: '100MB',
    value: 'size',
    group: 'run',
    help: 'what a log file takes at most, with the one before it',
  },
  /** Form of the runner's own messages. @default 'text' */
  logFormat: {
    kind: oneOf('text', 'json'),
    default: 'text',
    value: 'format',
    group: 'run',
    help: "form of the runner's own messages",
  },
  /**
   * For `MPIRunner`: the MPI library to meet by, as a path or a name; `none` for the scheduler file instead.
   * @default that of the launcher's kind, where the environment or the loader finds it
   */
  mpiLibrary: {
    kind: path(),
    otherwise: "that of the launcher's kind",
    value: 'library',
    group: 'run',
    ofLauncher: true,
    help: 'under mpirun: the MPI library to meet by, as a path or a name; none: meet at the scheduler file',
  },
  /**
   * For `MPIRunner` and `VariablesRunner`: a word that is the same in all processes of this run and in no other run.
   * @default the launcher's
   */
  runId: {
    kind: text((word) => {
      if (runIdForm.test(word)) return word
      throw new Refusal('it is up to 64 of letters, digits, ".", "_" and "-"')
    }),
    otherwise: "the launcher's",
    value: 'word',
    group: 'run',
    ofLauncher: true,
    help: 'what tells this run from others, the same in all of its processes, where the launcher says nothing',
  },
  /** For `VariablesRunner`: the environment variable with the run's id. @default none */
  runIdFrom: {
    kind: variableName,
    value: 'variable',
    group: 'run',
    ofLauncher: true,
    help: "under any other launcher: the variable with what tells this run from others, such as the job's id",
  },
  /** For `VariablesRunner`: number of this process, from 0. @default none */
  rank: {
    kind: wholeNumber(0, mostProcesses - 1),
    value: 'n',
    group: 'run',
    ofLauncher: true,
    help: 'under any other launcher: the number of this process, from 0; with --size and --run-id',
  },
  /** For `VariablesRunner`: the environment variable with it. @default none */
  rankFrom: {
    kind: variableName,
    value: 'variable',
    group: 'run',
    ofLauncher: true,
    help: 'the variable with it; what the run starts does not inherit that variable',
  },
  /** For `VariablesRunner`: number of processes of the run. @default none */
  size: {
    kind: wholeNumber(1, mostProcesses),
    value: 'n',
    group: 'run',
    ofLauncher: true,
    help: 'under any other launcher: the number of processes',
  },
  /** For `VariablesRunner`: the environment variable with it. @default none */
  sizeFrom: {
    kind: variableName,
    value: 'variable',
    group: 'run',
    ofLauncher: true,
    help: 'the variable with it',
  },
  /**
   * Have all of Dask speak TLS, with certificates that rank 0 makes for this run alone. Certificates of one's own
   * take the place of a variable that says so.
   * @default false
   */
  secure: {
    kind: yesOrNo(),
    default: false,
    group: 'run',
    help: 'have all of Dask speak TLS, with certificates that are made for this run alone',
  },
  /**
   * The link to the dashboard that Dask's clients of the program show: a template of Dask's, in which `{scheme}`, `{host}`, `{port}`,
   * `{node}` (the name of rank 0's host) and variables of the environment are filled in. A value of your own in Dask's
   * configuration (`distributed.dashboard.link`) wins. @default what the site's variables say
   */
  dashboardLink: {
    kind: linkTemplate(),
    otherwise: 'what the variables of JupyterHub or Open OnDemand say',
    value: 'template',
    group: 'run',
    help: "link to the dashboard that Dask's clients show, with {scheme}, {host}, {port}, {node} or any variable",
  },
  /** Give children the variables of the launching MPI or PMI too. @default false */
  keepMpiEnv: {
    kind: yesOrNo(),
    default: false,
    group: 'run',
    ofLauncher: true,
    help: "give the children the MPI launcher's variables too",
  },
  ...daskTable,
} as const satisfies Rows
