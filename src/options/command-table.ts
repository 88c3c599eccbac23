import { address } from './dask-kinds.ts'
import { duration, oneOf, path, runFile, wholeNumber, wholeNumberOr, yesOrNo } from './kinds.ts'
import { runnerKinds, starterNames } from './names.ts'
import type { Rows } from './row.ts'
import { mostProcesses, runTable } from './table.ts'

// Which command takes which options: `run`, `local`, `plan` and `doctor` take those of a run besides.

/** One machine does not run more of them. */
const mostOnOneMachine = 10_000

const runner = {
  kind: oneOf('auto', ...runnerKinds),
  default: 'auto',
  value: 'runner',
  group: 'run',
  help: 'whose processes these are: those of srun, of mpirun, of another system, or any others with --rank-from',
} as const

const time = { kind: duration('100ms'), value: 'time', group: 'command' } as const

const json = { kind: yesOrNo(), default: false, group: 'command', help: 'print JSON' } as const

/** Which cluster a command is about. */
const targetTable = {
  schedulerFile: {
    kind: runFile(),
    value: 'path',
    group: 'cluster',
    help: 'the scheduler file of the cluster; {job_id} and {restart} are filled in',
  },
  scheduler: {
    kind: address({ bare: true }),
    value: 'address',
    group: 'cluster',
    // The variable without a suffix says whether a run starts a scheduler.
    variable: 'DASK_HPC_RUNNER_SCHEDULER_ADDRESS',
    help: "the scheduler's address in place of a file, such as tcp://10.0.0.1:8786",
  },
  tlsCaFile: {
    kind: path(),
    otherwise: "Dask's environment variables",
    value: 'path',
    group: 'cluster',
    help: 'certificates that sign those of the cluster, PEM',
  },
  tlsCert: { kind: path(), value: 'path', group: 'cluster', help: 'our certificate, PEM' },
  tlsKey: { kind: path(), value: 'path', group: 'cluster', help: 'its key, PEM' },
} as const satisfies Rows

/** The options of each command alone. */
export const ownTables = {
  run: { runner },
  local: {
    ntasks: {
      kind: wholeNumber(1, mostOnOneMachine),
      default: 4,
      short: '-n',
      value: 'n',
      group: 'run',
      help: 'number of processes',
    },
  },
  spread: {
    hostsFrom: {
      kind: path(),
      otherwise: 'the node file of the job',
      value: 'path',
      group: 'command',
      help: 'the file with the hosts, one on each line',
    },
    with: {
      kind: oneOf(...starterNames),
      otherwise: "that of the job's system, else ssh",
      value: 'program',
      group: 'command',
      variable: 'DASK_HPC_RUNNER_SPREAD_WITH',
      help: 'what starts the ranks on other hosts',
    },
    per: {
      kind: oneOf('host', 'slot'),
      default: 'host',
      value: 'what',
      group: 'command',
      variable: 'DASK_HPC_RUNNER_SPREAD_PER',
      help: 'start one rank on each host, or one for each of its slots',
    },
    startTimeout: {
      kind: duration('1s'),
      default: '1m',
      value: 'time',
      group: 'command',
      help: 'how long the start of a rank may take',
    },
  },
  plan: {
    ntasks: {
      kind: wholeNumber(1, mostProcesses),
      otherwise: 'those of the job',
      short: '-n',
      value: 'n',
      group: 'run',
      help: 'plan for so many processes, outside of a job',
    },
    runner,
  },
  doctor: {
    json,
    timeout: { ...time, default: '30s', help: 'how long rank 0 waits for the others' },
    runner,
  },
  wait: {
    workers: {
      kind: wholeNumberOr('all', 1, mostProcesses),
      default: 1,
      value: 'n',
      group: 'command',
      help: 'how many workers have to run, or "all" that the run starts',
    },
    timeout: { ...time, default: '5m', help: 'how long to wait for everything' },
    ...targetTable,
  },
  status: {
    json,
    follow: {
      kind: yesOrNo(),
      default: false,
      group: 'command',
      help: 'show it again and again until the cluster ends',
    },
    interval: { ...time, default: '2s', help: 'time between two looks with --follow' },
    timeout: { ...time, otherwise: '10s; with --follow 5m', help: 'how long the scheduler may take to answer' },
    ...targetTable,
  },
  env: {
    python: {
      kind: yesOrNo(),
      default: false,
      group: 'command',
      // DASK_HPC_RUNNER_PYTHON is which Python a run uses.
      variable: 'DASK_HPC_RUNNER_ENV_PYTHON',
      help: 'print two lines for a notebook in place of those for a shell',
    },
    remove: {
      kind: yesOrNo(),
      default: false,
      group: 'command',
      help: 'remove the certificates that were kept for this scheduler file, and print what unsets the variables',
    },
    timeout: { ...time, default: '10s', help: 'how long rank 0 and the scheduler may take to answer' },
    ...targetTable,
  },
  report: {
    output: {
      kind: path(),
      otherwise: 'beside the report: run.html of run.json',
      value: 'path',
      group: 'command',
      help: 'where the page is written',
    },
  },
  stop: {
    timeout: { ...time, default: '1m', help: 'how long it may take to end' },
    ...targetTable,
  },
} as const satisfies Readonly<Record<string, Rows>>

/** A command that has options. */
export type CommandName = keyof typeof ownTables

/** The commands that are about a run, and take its options. */
const ofRun: ReadonlySet<CommandName> = new Set(['run', 'local', 'plan', 'doctor'])

/** The options of a run that `command` takes: `local` has no launcher. */
export function runTableOf(command: CommandName): Rows {
  if (!ofRun.has(command)) return {}
  const rows: Rows = runTable
  return command === 'local'
    ? Object.fromEntries(Object.entries(rows).filter(([, { ofLauncher }]) => ofLauncher !== true))
    : rows
}

/** Every option of a command. */
export function tableOf(command: CommandName): Rows {
  return { ...ownTables[command], ...runTableOf(command) }
}

/** The options of a run that mean nothing to `command`, which is about one: it takes their flags only to say so. */
export function meaninglessTo(command: CommandName): Rows {
  if (command !== 'local') return {}
  const taken = tableOf(command)
  return Object.fromEntries(Object.entries({ runner, ...runTable }).filter(([option]) => !Object.hasOwn(taken, option)))
}
