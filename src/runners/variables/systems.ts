import { type Environment, identityError, readVariable, readWholeNumber, show } from '../../identity/environment.ts'
import { type systemNames, variablePrefix } from '../../options/names.ts'
import { countSlots, shortName, type Slots, sumOf } from './slots.ts'
import { printable } from '../../util/printable.ts'
import { shellWord } from '../../util/shell-word.ts'
import { asWord, numberIn, type Said } from './said.ts'

/** How a workload manager tells each process of a job its number: all that is different between them. */
export interface System {
  /** What `--runner` calls it. */
  readonly runner: (typeof systemNames)[number]
  /** What starts the processes, for people. */
  readonly launcher: string
  /** The variable with the number of a process. The row counts only where it is there. */
  readonly rank: string
  /** The number of the first process. @default 0 */
  readonly first?: number
  /** The variable with the path of the node file, where that tells rank and size. */
  readonly nodeFile?: string
  /** The rank, where it is not that number less the first. */
  readonly readRank?: (env: Environment, place: HostPlace) => Said<number>
  /** How many processes there are, as far as the variables tell. */
  readonly size: (env: Environment, place: HostPlace) => Said<number> | undefined
  /**
   * The variable with the job's id. @default `--run-id` has to say it
   */
  readonly jobId?: JobId
  /** The variable that tells this run from others of its job. @default `--run-id` has to, where there are others */
  readonly step?: string
  /** The variable with the number of the attempt, from 1. @default the job is never started again under its id */
  readonly attempt?: string
  /** The variable with this process's number among those of its host. */
  readonly localRank?: string
  /** The variable with the number of processes on this host. */
  readonly localSize?: string
  /** The variable with the number of hosts. */
  readonly nodes?: string
  /** The hosts of the job and its slots on each. */
  readonly hosts?: (env: Environment) => Slots | undefined
  /** One of these hosts runs the job's script alone. @default false */
  readonly hasLaunchHost?: boolean
  /** The variable with the number of CPUs of this process. */
  readonly cpus?: string
  /** Each process is alone on its host. @default false */
  readonly isAlone?: boolean
  /** A variable with an address of the first host. */
  readonly address?: string
  /** @throws RunnerError with `ERR_ENVIRONMENT` where this is no process of the launcher, or its variables were inherited. */
  readonly check?: (env: Environment, place: HostPlace) => void
  /** The program that ends a job by its id. @default no job has to be ended that a lost process holds */
  readonly endedBy?: string
  /** Variables that say "you are task N": what this process starts does not inherit them. */
  readonly ofTask: readonly string[]
}

/** This host among those of the job. */
export interface HostPlace {
  readonly host: string
  /** Those of the node file, each once, in its order. */
  readonly hosts: readonly string[]
}

/** Where the id of a job is. */
interface JobId {
  readonly variable: string
  /** What of it is the same in all processes. @default all of it */
  readonly common?: RegExp
  /** A variable with what tells the elements of an array apart, 0 for none. @default the id does */
  readonly element?: string
  /** A variable that each job has beside it, where others may have one of the same name. */
  readonly beside?: string
}

const sizeIn =
  (variable: string) =>
  (env: Environment): Said<number> | undefined =>
    numberIn(env, variable)

const lsf = {
  runner: 'lsf',
  jobId: { variable: 'LSB_JOBID', element: 'LSB_JOBINDEX' },
  endedBy: 'bkill',
  // LSB_MCPU_HOSTS="hostA 4 hostB 4": IBM, "How LSF runs parallel jobs".
  hosts: (env: Environment) => countSlots(env, 'LSB_MCPU_HOSTS'),
  check: (env: Environment, { host }: HostPlace): void => {
    const slots = countSlots(env, 'LSB_MCPU_HOSTS')
    if (slots === undefined || slots.has(shortName(host))) return
    throw identityError(
      `${show(env, 'LSB_MCPU_HOSTS')}, and this host is "${host}", so the variables were inherited from another job`,
      'start me with blaunch or jsrun inside of the job',
    )
  },
} as const

/** By what `spread` tells each rank that it starts its place. */
export const spreadVariables = {
  rank: `${variablePrefix}SPREAD_RANK`,
  size: `${variablePrefix}SPREAD_SIZE`,
  job: `${variablePrefix}SPREAD_JOB`,
  step: `${variablePrefix}SPREAD_STEP`,
  nodes: `${variablePrefix}SPREAD_HOSTS`,
  localRank: `${variablePrefix}SPREAD_LOCAL_RANK`,
  localSize: `${variablePrefix}SPREAD_LOCAL_SIZE`,
  cpus: `${variablePrefix}SPREAD_CPUS`,
} as const

/**
 * The systems, the most telling variables first. docs/launchers.md says which were tried on a real one, and where
 * each is documented.
 */
export const systems: readonly System[] = [
  {
    runner: 'spread',
    launcher: 'dask-hpc-runner spread',
    rank: spreadVariables.rank,
    size: sizeIn(spreadVariables.size),
    jobId: { variable: spreadVariables.job },
    step: spreadVariables.step,
    localRank: spreadVariables.localRank,
    localSize: spreadVariables.localSize,
    nodes: spreadVariables.nodes,
    cpus: spreadVariables.cpus,
    // No variable of ours is inherited.
    ofTask: [],
  },
  {
    runner: 'aws-batch',
    launcher: 'a multi-node parallel job of AWS Batch',
    rank: 'AWS_BATCH_JOB_NODE_INDEX',
    size: sizeIn('AWS_BATCH_JOB_NUM_NODES'),
    // Each node has an id of its own: JOB#INDEX.
    jobId: { variable: 'AWS_BATCH_JOB_ID', common: /^[^#]*/ },
    attempt: 'AWS_BATCH_JOB_ATTEMPT',
    isAlone: true,
    address: 'AWS_BATCH_JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS',
    check: (env) => {
      const [index, main] = ['AWS_BATCH_JOB_NODE_INDEX', 'AWS_BATCH_JOB_MAIN_NODE_INDEX'] as const
      const address = 'AWS_BATCH_JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS'
      if (readWholeNumber(env, index) === readWholeNumber(env, main) && readVariable(env, address) !== undefined)
        throw identityError(
          `${show(env, index)} and ${show(env, main)}, but ${show(env, address)}, which only other nodes have`,
          'check what changed them',
        )
    },
    ofTask: ['AWS_BATCH_JOB_NODE_INDEX'],
  },
  {
    ...lsf,
    launcher: 'jsrun of LSF',
    rank: 'JSM_NAMESPACE_RANK',
    size: sizeIn('JSM_NAMESPACE_SIZE'),
    localRank: 'JSM_NAMESPACE_LOCAL_RANK',
    hasLaunchHost: true,
    ofTask: ['JSM_NAMESPACE_RANK', 'JSM_NAMESPACE_SIZE', 'JSM_NAMESPACE_LOCAL_RANK'],
  },
  {
    ...lsf,
    launcher: 'blaunch of LSF',
    rank: 'LSF_PM_TASKID',
    first: 1,
    // Without names of hosts it starts one task for each slot of the job.
    size: (env) => {
      const value = sumOf(countSlots(env, 'LSB_MCPU_HOSTS'))
      return value === 0 ? undefined : { value, source: `${value} slots in LSB_MCPU_HOSTS` }
    },
    ofTask: ['LSF_PM_TASKID'],
  },
  {
    runner: 'pbs',
    launcher: 'pbsdsh of PBS',
    rank: 'PBS_VNODENUM',
    size: sizeIn('PBS_NP'),
    jobId: { variable: 'PBS_JOBID' },
    endedBy: 'qdel',
    localSize: 'PBS_NUM_PPN',
    nodes: 'PBS_NUM_NODES',
    check: (env) => {
      // Every host numbers its own tasks, and the job's script is the first one of the first host.
      if (readVariable(env, 'PBS_NODENUM') !== '0' || readVariable(env, 'PBS_TASKNUM') !== '1') return
      throw identityError(
        `${show(env, 'PBS_TASKNUM')} and ${show(env, 'PBS_NODENUM')}, so this is the script of the job and not one of its tasks`,
        'start me with pbsdsh, or with mpiexec',
      )
    },
    ofTask: ['PBS_VNODENUM', 'PBS_NODENUM', 'PBS_TASKNUM'],
  },
  {
    runner: 'grid-engine',
    launcher: 'an array job of Grid Engine',
    rank: 'SGE_TASK_ID',
    readRank: (env) => {
      const { id, first, step } = readArray(env)
      if (id < first || (id - first) % step !== 0)
        throw identityError(
          `${show(env, 'SGE_TASK_ID')} but ${show(env, 'SGE_TASK_FIRST')} and ${show(env, 'SGE_TASK_STEPSIZE')}`,
          'check what changed them',
        )
      return { value: (id - first) / step, source: `SGE_TASK_ID=${id}` }
    },
    size: (env) => {
      const { first, last, step } = readArray(env)
      if (last < first)
        throw identityError(
          `${show(env, 'SGE_TASK_LAST')} but ${show(env, 'SGE_TASK_FIRST')}`,
          'check what changed them',
        )
      return {
        value: Math.floor((last - first) / step) + 1,
        source: `SGE_TASK_FIRST=${first} to SGE_TASK_LAST=${last}`,
      }
    },
    jobId: { variable: 'JOB_ID', beside: 'SGE_TASK_ID' },
    endedBy: 'qdel',
    cpus: 'NSLOTS',
    ofTask: ['SGE_TASK_ID'],
  },
  {
    runner: 'oar',
    launcher: 'oarsh of OAR',
    // OAR has three names for one file: what a process starts keeps OAR_NODEFILE and OAR_NODE_FILE.
    rank: 'OAR_FILE_NODES',
    // Nothing numbers the processes: it is one on each host.
    nodeFile: 'OAR_FILE_NODES',
    readRank: (_, place) => {
      const value = positionOf(place)
      return { value, source: `host ${value} in OAR_FILE_NODES` }
    },
    size: (_, { hosts }) => ({ value: hosts.length, source: `${hosts.length} hosts in OAR_FILE_NODES` }),
    jobId: { variable: 'OAR_JOB_ID' },
    endedBy: 'oardel',
    isAlone: true,
    check: (env, { host, hosts }) => {
      const fileId = /\/([0-9]+)$/.exec(env.OAR_FILE_NODES ?? '')?.[1]
      if (fileId !== undefined && fileId !== (readVariable(env, 'OAR_JOB_ID') ?? fileId))
        throw identityError(
          `${show(env, 'OAR_FILE_NODES')} but ${show(env, 'OAR_JOB_ID')}, so one was inherited from another job`,
          'check what changed them',
        )
      if (positionOf({ host, hosts }) === -1)
        throw identityError(
          `${show(env, 'OAR_FILE_NODES')} has ${hosts.join(', ')}, and this host is "${host}", so the variables were inherited from another job`,
          'start me with oarsh inside of the job',
        )
      // What oarexec sets for the job's script, and oarsh does not.
      if (readVariable(env, 'SUDO_COMMAND') === 'OAR' && hosts.length > 1)
        throw identityError(
          `${show(env, 'SUDO_COMMAND')} and OAR_FILE_NODES has ${hosts.length} hosts, so this is the script of the job and not one of its tasks`,
          'start me on each of the hosts with oarsh',
        )
    },
    ofTask: ['OAR_FILE_NODES'],
  },
  {
    runner: 'kubernetes',
    launcher: 'an Indexed Job of Kubernetes',
    rank: 'JOB_COMPLETION_INDEX',
    size: () => undefined,
    ofTask: ['JOB_COMPLETION_INDEX'],
  },
]

/** -1 where it is none of them. One system writes the domain, another does not. */
function positionOf({ host, hosts }: HostPlace): number {
  const exact = hosts.indexOf(host)
  return exact === -1 ? hosts.map(shortName).indexOf(shortName(host)) : exact
}

/** What Grid Engine says of an array; outside of one its variables are `undefined`. */
function readArray(env: Environment): Record<'id' | 'first' | 'last' | 'step', number> {
  const read = (name: string): number => {
    const value = readWholeNumber(env, name)
    if (value === undefined || value === 0)
      throw identityError(`${show(env, 'SGE_TASK_ID')} but ${show(env, name)}`, 'check what changed it')
    return value
  }
  return {
    id: read('SGE_TASK_ID'),
    first: read('SGE_TASK_FIRST'),
    last: read('SGE_TASK_LAST'),
    step: read('SGE_TASK_STEPSIZE'),
  }
}

/** The row whose launcher has started this process; of the rows of one runner alone, if that is named. */
export function findSystem(env: Environment, runner?: System['runner']): System | undefined {
  return systems.find((row) => {
    const number = readVariable(env, row.rank)
    // Grid Engine's word for none.
    return number !== undefined && number !== 'undefined' && (runner === undefined || row.runner === runner)
  })
}

/** The job around this process, of whichever of these systems it is; undefined where there is none. */
export function jobAround(env: Environment): { readonly id: string; readonly restart: number } | undefined {
  for (const row of systems) {
    const id = readJobId(env, row)
    if (id === undefined || readVariable(env, row.jobId?.beside ?? row.jobId?.variable ?? '') === undefined) continue
    return { id, restart: readRestart(env, row) }
  }
  return undefined
}

/** How often the job was started again under its id. */
export function readRestart(env: Environment, { attempt }: System): number {
  return Math.max(0, (attempt === undefined ? 1 : (readWholeNumber(env, attempt) ?? 1)) - 1)
}

/** What tells this job from others; undefined where the system has no variable with it, or it is missing. */
export function readJobId(env: Environment, { jobId }: System): string | undefined {
  const id = jobId === undefined ? undefined : readVariable(env, jobId.variable)
  if (jobId === undefined || id === undefined) return undefined
  const common = jobId.common?.exec(id)?.[0] ?? id
  const element = jobId.element === undefined ? '0' : (readVariable(env, jobId.element) ?? '0')
  return asWord(element === '0' ? common : `${common}_${element}`)
}

/** What ends the job around this process, as people type it; undefined where nothing has to be ended, or no id is known. */
export function endCommandIn(env: Environment, runner: System['runner']): string | undefined {
  const { jobId, endedBy } = findSystem(env, runner) ?? {}
  const id = jobId && readVariable(env, jobId.variable)
  if (id === undefined || endedBy === undefined) return undefined
  const element = (jobId?.element && readVariable(env, jobId.element)) ?? '0'
  return `${endedBy} ${shellWord(printable(element === '0' ? id : `${id}[${element}]`))}`
}
