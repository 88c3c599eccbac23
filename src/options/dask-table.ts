import {
  className,
  address,
  daskTime,
  dashboardAddress,
  dashboardPrefix,
  host,
  memory,
  networks,
  preload,
  preloadArguments,
  protocol,
  resources,
} from './dask-kinds.ts'
import { listOf, path, ports, text, wholeNumber, yesOrNo } from './kinds.ts'
import type { Rows } from './row.ts'

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
  },
  /** Directory for data that workers spill to disk. @default a private directory on the node, removed at the end */
  localDirectory: {
    kind: path(),
    otherwise: 'a private directory in TMPDIR, removed at the end',
    value: 'path',
    group: 'dask',
    help: 'where workers spill data to disk',
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
  },
  /** Port of each worker, or a range. @default a free one */
  workerPort: {
    kind: ports(),
    otherwise: 'a free one',
    value: 'ports',
    group: 'dask',
    help: 'port of each worker, or a range',
  },
  /** Port of each nanny, or a range. @default a free one */
  nannyPort: {
    kind: ports(),
    otherwise: 'a free one',
    value: 'ports',
    group: 'dask',
    help: 'port of each nanny, or a range',
  },
  /** Address that a worker tells others, such as `tcp://10.0.0.1:9000`, where it is not the `listenAddress`. */
  contactAddress: {
    kind: address(),
    otherwise: 'the one that it listens on',
    value: 'address',
    group: 'dask',
    help: 'address that a worker tells others, such as tcp://10.1.0.5:9000; with --listen-address',
  },
  /** Address that a worker listens on, such as `tcp://0.0.0.0:9000`. */
  listenAddress: {
    kind: address({ listens: true }),
    value: 'address',
    group: 'dask',
    help: 'address that a worker listens on, such as tcp://0.0.0.0:9000',
  },
  /** Address or host name to listen on. @default on one host 127.0.0.1, else a network of the nodes */
  host: {
    kind: host(),
    otherwise: '127.0.0.1 on one host, else a network of the nodes',
    value: 'address',
    group: 'dask',
    help: 'address to listen on',
  },
  /** `tcp` or another protocol that the user's Dask has. @default 'tls' with files for TLS, or where Dask's variables demand encryption; else 'tcp' */
  protocol: {
    kind: protocol(),
    otherwise: "tls with files for TLS, or where Dask's variables demand encryption; else tcp",
    value: 'name',
    group: 'dask',
    help: 'such as tcp or tls',
  },
  /** PEM file of the certificates that sign those of scheduler, workers and clients, for the protocol `tls`. */
  tlsCaFile: {
    kind: path(),
    value: 'path',
    group: 'dask',
    help: 'certificates that sign those of the cluster, PEM, for --protocol tls',
  },
  /** PEM file of the certificate of scheduler and workers, and of the client program. */
  tlsCert: {
    kind: path(),
    value: 'path',
    group: 'dask',
    help: 'certificate of scheduler, workers and the program, PEM',
  },
  /** PEM file of its key. @default in the file of the certificate */
  tlsKey: {
    kind: path(),
    otherwise: 'in the file of the certificate',
    value: 'path',
    group: 'dask',
    help: 'its key, PEM',
  },
  /** Import path of the worker class. @default 'dask.distributed.Worker' */
  workerClass: {
    kind: className(),
    otherwise: 'dask.distributed.Worker',
    value: 'path',
    group: 'dask',
    help: 'import path of the worker class',
  },
  /** Abstract resources of each worker, such as `GPU=1 MEM=2e9`. */
  resources: {
    kind: resources(),
    value: 'list',
    group: 'dask',
    help: 'resources of each worker: "GPU=1 MEM=2e9"',
  },
  /** Time after which a worker ends by itself, in Dask's notation. */
  lifetime: {
    kind: daskTime(),
    value: 'time',
    group: 'dask',
    help: 'time after which a worker ends, in Dask\'s notation: "2 hours", 2h, or a number of seconds',
  },
  /** By how much the lifetimes of workers differ at random, in Dask's notation, so that not all end together. */
  lifetimeStagger: {
    kind: daskTime(),
    value: 'time',
    group: 'dask',
    help: 'by how much the lifetimes of workers differ at random, likewise',
  },
  /** Have its nanny start a worker again whose lifetime is over; with `nanny`. @default as Dask's configuration has it */
  lifetimeRestart: {
    kind: yesOrNo(),
    otherwise: "as Dask's configuration has it",
    group: 'dask',
    help: 'have its nanny start a worker again whose lifetime is over; with --nanny',
  },
  /** Time without work after which the scheduler ends, and the run with it, in Dask's notation. */
  idleTimeout: {
    kind: daskTime(),
    value: 'time',
    group: 'dask',
    help: 'time without work after which the scheduler ends, and the run with it, likewise',
  },
  /** Time after which a worker without its scheduler ends, in Dask's notation. */
  deathTimeout: {
    kind: daskTime(),
    value: 'time',
    group: 'dask',
    help: 'time without a scheduler after which a worker ends, likewise',
  },
  /** Put each worker under one of Dask's nannies. @default false */
  nanny: {
    kind: yesOrNo(),
    default: false,
    group: 'dask',
    help: "put each worker under one of Dask's nannies; else the runner watches over the workers",
  },
  /** Serve the dashboard. @default true */
  dashboard: {
    kind: yesOrNo(),
    default: true,
    group: 'dask',
    help: 'serve no dashboard',
  },
  /** Where the scheduler serves its dashboard. @default ':0', a free port */
  dashboardAddress: {
    kind: dashboardAddress(),
    otherwise: ':0, a free port',
    value: 'address',
    group: 'dask',
    help: 'where the scheduler serves its dashboard',
  },
  /** Path below which scheduler and workers serve their dashboards, such as `dask` for `/dask/status`. */
  dashboardPrefix: {
    kind: dashboardPrefix(),
    value: 'path',
    group: 'dask',
    help: 'path below which the dashboards are served: dask for /dask/status',
  },
  /** Have the dashboard believe a proxy's `X-` headers. Dask up to 2024.12 takes it and does nothing with it. @default false */
  useXheaders: {
    kind: yesOrNo(),
    default: false,
    group: 'dask',
    help: "have the dashboard believe a proxy's X- headers; Dask up to 2024.12 takes it and does nothing with it",
  },
  /** Start a Jupyter server in the scheduler, at `/jupyter` of its dashboard: whoever reaches that runs code as you. @default false */
  jupyter: {
    kind: yesOrNo(),
    default: false,
    group: 'dask',
    help: 'start a Jupyter server in the scheduler, at /jupyter of its dashboard: whoever reaches that runs code as you',
  },
  /** The name that the scheduler's certificate has, where that is not its host's, for workers. */
  schedulerSni: {
    kind: text(),
    value: 'name',
    group: 'dask',
    help: "the name in the scheduler's certificate that workers ask for by SNI",
  },
  /** Modules, files or texts that scheduler and workers load at their start. */
  preload: {
    kind: listOf(preload()),
    value: 'module',
    group: 'dask',
    help: 'module or file that scheduler and workers load; may be repeated',
  },
  /** Arguments of what `preload` names, in one text that is split as a shell splits it. */
  preloadArgv: {
    kind: preloadArguments(),
    mayBeFlags: true,
    value: 'arguments',
    group: 'dask',
    help: 'arguments of what --preload names, in one text: "--level 3 \'two words\'"',
  },
  /** Modules, files or texts that nannies load at their start; with `nanny`. */
  preloadNanny: {
    kind: listOf(preload()),
    value: 'module',
    group: 'dask',
    help: 'module or file that nannies load; with --nanny; may be repeated',
  },
} as const satisfies Rows
