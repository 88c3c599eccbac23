import {
  className,
  address,
  daskTime,
  dashboardAddress,
  host,
  memory,
  networks,
  preload,
  protocol,
  resources,
} from './dask-kinds.ts'
import { duration, listOf, oneOf, path, ports, script, text, wholeNumber, wholeNumberOr, yesOrNo } from './kinds.ts'
import { Refusal } from './kinds.ts'
import type { Rows } from './row.ts'
import { workerCommand } from './worker-command.ts'

// The options of a run. A new one is one row here; flags, variables, --help, docs/options.md, the library's types and
// the checks follow. The comment above a row is what users of the library read.

/** No run has more processes, nor workers: what says so was not meant, and would fill the memory. */
export const mostProcesses = 1_000_000

/** The options of `dask scheduler` and `dask worker`, under Dask's own names. */
export const daskTable = {
  /** Workers of each worker process. @default 1 */
  nworkers: {
    kind: wholeNumber(1, 10_000),
    default: 1,
    value: 'n',
    group: 'dask',
    help: 'workers of each worker process',
  },
  /** Threads of each worker. @default its share of the CPUs that its process has */
  nthreads: {
    kind: wholeNumber(1, 100_000),
    otherwise: "its share of the process's CPUs",
    value: 'n',
    group: 'dask',
    help: 'threads of each worker',
    handedTo: 'workers',
  },
  /**
   * Memory of each worker in Dask's notation: bytes, `4GiB`, `0.5`, `auto`, `0` for no limit.
   * @default its share of what its process has
   */
  memoryLimit: {
    kind: memory(),
    otherwise: "its share of the process's memory",
    value: 'size',
    group: 'dask',
    help: "memory of each worker: 4GiB, bytes, 0.5 of the node's, auto, or 0 for no limit",
    handedTo: 'workers',
  },
  /** Directory for data that workers spill to disk. @default a private directory on the node, removed at the end */
  localDirectory: {
    kind: path(),
    otherwise: 'a private directory in TMPDIR, removed at the end',
    value: 'path',
    group: 'dask',
    help: 'where workers spill data to disk',
    handedTo: 'workers',
  },
  /**
   * Network interface to listen on: a name such as `ib0`, a network such as `10.1.0.0/16`, or several
   * with commas between them in order of preference.
   * @default in a run of several nodes the network of the workload manager, else Dask's choice
   */
  interface: {
    kind: networks(),
    otherwise: 'the network of the workload manager',
    value: 'name',
    group: 'dask',
    help: 'network interface (ib0), network (10.1.0.0/16), or several in order of preference',
  },
  /** The same for the scheduler alone. */
  schedulerInterface: {
    kind: networks(),
    value: 'name',
    group: 'dask',
    help: 'the same for the scheduler alone',
  },
  /** The same for the workers alone. */
  workerInterface: {
    kind: networks(),
    value: 'name',
    group: 'dask',
    help: 'the same for the workers alone',
  },
  /** Port of the scheduler, or a range such as `8786:8790`. @default a free one */
  port: {
    kind: ports(),
    otherwise: 'a free one',
    value: 'ports',
    group: 'dask',
    help: 'port of the scheduler: 8786 or 8786:8790',
    handedTo: 'scheduler',
  },
  /** Port of each worker, or a range. @default a free one */
  workerPort: {
    kind: ports(),
    otherwise: 'a free one',
    value: 'ports',
    group: 'dask',
    help: 'port of each worker, or a range',
    handedTo: 'workers',
  },
  /** Port of each nanny, or a range. @default a free one */
  nannyPort: {
    kind: ports(),
    otherwise: 'a free one',
    value: 'ports',
    group: 'dask',
    help: 'port of each nanny, or a range',
    handedTo: 'workers',
  },
  /** Address that a worker tells others, such as `tcp://10.0.0.1:9000`, where it is not the `listenAddress`. */
  contactAddress: {
    kind: address(),
    otherwise: 'the one that it listens on',
    value: 'address',
    group: 'dask',
    help: 'address that a worker tells others, such as tcp://10.1.0.5:9000; with --listen-address',
    handedTo: 'workers',
  },
  /** Address that a worker listens on, such as `tcp://0.0.0.0:9000`. */
  listenAddress: {
    kind: address({ listens: true }),
    value: 'address',
    group: 'dask',
    help: 'address that a worker listens on, such as tcp://0.0.0.0:9000',
    handedTo: 'workers',
  },
  /** Address or host name to listen on. @default on one host 127.0.0.1, else a network of the nodes */
  host: {
    kind: host(),
    otherwise: '127.0.0.1 on one host, else a network of the nodes',
    value: 'address',
    group: 'dask',
    help: 'address to listen on',
    handedTo: 'both',
  },
  /** `tcp` or another protocol that the user's Dask has. @default 'tls' with files for TLS, or where Dask's variables demand encryption; else 'tcp' */
  protocol: {
    kind: protocol(),
    otherwise: "tls with files for TLS, or where Dask's variables demand encryption; else tcp",
    value: 'name',
    group: 'dask',
    help: 'such as tcp or tls',
    handedTo: 'both',
  },
  /** PEM file of the certificates that sign those of scheduler, workers and clients, for the protocol `tls`. */
  tlsCaFile: {
    kind: path(),
    value: 'path',
    group: 'dask',
    help: 'certificates that sign those of the cluster, PEM, for --protocol tls',
    handedTo: 'both',
  },
  /** PEM file of the certificate of scheduler and workers, and of the client program. */
  tlsCert: {
    kind: path(),
    value: 'path',
    group: 'dask',
    help: 'certificate of scheduler, workers and the program, PEM',
    handedTo: 'both',
  },
  /** PEM file of its key. @default in the file of the certificate */
  tlsKey: {
    kind: path(),
    otherwise: 'in the file of the certificate',
    value: 'path',
    group: 'dask',
    help: 'its key, PEM',
    handedTo: 'both',
  },
  /** Import path of the worker class. @default 'dask.distributed.Worker' */
  workerClass: {
    kind: className(),
    otherwise: 'dask.distributed.Worker',
    value: 'path',
    group: 'dask',
    help: 'import path of the worker class',
    handedTo: 'workers',
  },
  /** Abstract resources of each worker, such as `GPU=1 MEM=2e9`. */
  resources: {
    kind: resources(),
    value: 'list',
    group: 'dask',
    help: 'resources of each worker: "GPU=1 MEM=2e9"',
    handedTo: 'workers',
  },
  /** Time after which a worker ends by itself, in Dask's notation. */
  lifetime: {
    kind: daskTime(),
    value: 'time',
    group: 'dask',
    help: 'time after which a worker ends, in Dask\'s notation: "2 hours", 2h, or a number of seconds',
    handedTo: 'workers',
  },
  /** Time after which a worker without its scheduler ends, in Dask's notation. */
  deathTimeout: {
    kind: daskTime(),
    value: 'time',
    group: 'dask',
    help: 'time without a scheduler after which a worker ends, likewise',
    handedTo: 'workers',
  },
  /** Put each worker under one of Dask's nannies. @default false */
  nanny: {
    kind: yesOrNo(),
    default: false,
    group: 'dask',
    help: "put each worker under one of Dask's nannies; else the runner watches over the workers",
    handedTo: 'workers',
  },
  /** Serve the dashboard. @default true */
  dashboard: {
    kind: yesOrNo(),
    default: true,
    group: 'dask',
    help: 'serve no dashboard',
    handedTo: 'both',
  },
  /** Where the scheduler serves its dashboard. @default ':0', a free port */
  dashboardAddress: {
    kind: dashboardAddress(),
    otherwise: ':0, a free port',
    value: 'address',
    group: 'dask',
    help: 'where the scheduler serves its dashboard',
    handedTo: 'scheduler',
  },
  /** Modules, files or texts that scheduler and workers load at their start. */
  preload: {
    kind: listOf(preload()),
    value: 'module',
    group: 'dask',
    help: 'module or file that scheduler and workers load; may be repeated',
    handedTo: 'both',
  },
} as const satisfies Rows

/** The runner's own options, and Dask's. */
export const runTable = {
  /**
   * Path of the published Dask scheduler file; `{job_id}`, `{step_id}` and `{restart}` are filled in.
   * @default 'scheduler-{job_id}.{step_id}.json' in the working directory
   */
  schedulerFile: {
    kind: path(),
    default: 'scheduler-{job_id}.{step_id}.json',
    value: 'path',
    group: 'run',
    help: 'where the Dask scheduler file is published; {job_id}, {step_id} and {restart} are filled in',
  },
  /**
   * `exclusive`: process 0 hosts the scheduler, 1 the client, the rest workers. `shared`: process 0
   * hosts all three and every other a worker; the only one for worlds of 1 and 2.
   * @default 'exclusive'
   */
  layout: {
    kind: oneOf('exclusive', 'shared'),
    default: 'exclusive',
    value: 'layout',
    group: 'run',
    help: 'exclusive: process 0 hosts the scheduler, 1 the client, the rest workers; shared: 0 hosts all three',
  },
  /** What makes a process one of n: `auto` is the node where each has one task, else the task. @default 'auto' */
  identity: {
    kind: oneOf('auto', 'node', 'task'),
    default: 'auto',
    value: 'kind',
    group: 'run',
    help: 'what makes a process one of n: its node or its task; auto: the node where each has one task',
  },
  /** Host a client. @default true */
  client: {
    kind: yesOrNo(),
    default: true,
    group: 'run',
    help: 'host no client: process 1 is a worker too',
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
  /** File for a report of the run's end, as JSON; placeholders as in `schedulerFile`. @default none */
  report: {
    kind: path(),
    value: 'path',
    group: 'run',
    help: 'write how the run ended, as JSON; placeholders as in --scheduler-file',
  },
  /** Have the workload manager end the step where lost processes would hold it. @default true */
  scancel: {
    kind: yesOrNo(),
    default: true,
    group: 'run',
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
    help: 'under mpirun: the MPI library to meet by, as a path or a name; none: meet at the scheduler file',
  },
  /** For `MPIRunner`: a word that is the same in all processes of this run and in no other run. @default the launcher's */
  runId: {
    kind: text((word) => {
      if (/^[A-Za-z0-9._-]{1,64}$/.test(word)) return word
      throw new Refusal('it is up to 64 of letters, digits, ".", "_" and "-"')
    }),
    otherwise: "the launcher's",
    value: 'word',
    group: 'run',
    help: 'under mpirun: what tells this run from others, the same in all of its processes',
  },
  /**
   * Have all of Dask speak TLS, with certificates that process 0 makes for this run alone. Certificates of one's own
   * take the place of a variable that says so.
   * @default false
   */
  secure: {
    kind: yesOrNo(),
    default: false,
    group: 'run',
    help: 'have all of Dask speak TLS, with certificates that are made for this run alone',
  },
  /** Give children the variables of the launching MPI or PMI too. @default false */
  keepMpiEnv: {
    kind: yesOrNo(),
    default: false,
    group: 'run',
    help: "give the children the MPI launcher's variables too",
  },
  ...daskTable,
} as const satisfies Rows
