import { messageOf, RunnerError } from '../errors.ts'
import { type Environment, readVariable } from '../identity/environment.ts'
import { type Host, isSameHost, readNodeFile } from '../runners/node-file.ts'
import { type Starter, type StarterName, starterOf, starters } from './starters.ts'

/** What says where to start, and how. */
export interface HostOptions {
  /** A file with the hosts. @default the node file of the job */
  readonly hostsFrom?: string | undefined
  /** @default that of the job's system, else ssh */
  readonly with?: StarterName | undefined
  /** How long a filesystem may take. In milliseconds. */
  readonly filesystemTimeout: number
}

/** The hosts to spread over, and what starts a process on them. */
export interface Hosts {
  readonly hosts: readonly Host[]
  readonly starter: Starter
  /** Whether a slot is a CPU of the job. */
  readonly slotsAreCpus: boolean
}

/**
 * Finds the hosts of the job around this process, or those of a file.
 *
 * @throws RunnerError ERR_ENVIRONMENT where there is no node file, or it cannot be read.
 */
export async function findHosts(env: Environment, options: HostOptions): Promise<Hosts> {
  const system = starters.find(({ nodeFiles }) => fileOf(env, nodeFiles) !== undefined)
  const starter = options.with === undefined ? (system ?? starterOf('ssh')) : starterOf(options.with)
  const path = options.hostsFrom ?? (system && fileOf(env, system.nodeFiles))
  if (path === undefined) throw noHosts(env)
  const { filesystemTimeout: ms } = options
  const wanted = await read(path, ms)
  const hosts = starter.countsLines === true ? await numbered(wanted, { env, starter, ms }) : wanted
  // Slots of a file that somebody has written may be anything.
  return { hosts, starter, slotsAreCpus: options.hostsFrom === undefined && system?.slotsAreCpus === true }
}

/** The same hosts with their lines in the node file of the job. */
async function numbered(
  hosts: readonly Host[],
  { env, starter, ms }: { readonly env: Environment; readonly starter: Starter; readonly ms: number },
): Promise<readonly Host[]> {
  const { name, nodeFiles } = starter
  const cannot = (why: string): RunnerError =>
    new RunnerError(`Cannot start ranks by ${name}: ${why}; name another program by --with`, {
      code: 'ERR_ENVIRONMENT',
    })
  const path = fileOf(env, nodeFiles)
  if (path === undefined) throw cannot(`${nodeFiles.join(', ')} is not set`)
  const ofJob = await read(path, ms)
  return hosts.map((host) => {
    const line = ofJob.find((each) => isSameHost(each.name, host.name))?.line
    if (line === undefined) throw cannot(`"${host.name}" is no host of "${path}"`)
    return { ...host, line }
  })
}

function fileOf(env: Environment, variables: readonly string[]): string | undefined {
  return variables.map((name) => readVariable(env, name)).find((value) => value !== undefined)
}

function noHosts(env: Environment): RunnerError {
  const variables = starters.flatMap(({ nodeFiles }) => nodeFiles)
  const slurm =
    readVariable(env, 'SLURM_JOB_ID') === undefined ? '' : '; in a job of Slurm take srun in place of spread'
  return new RunnerError(
    `Cannot tell which hosts to spread over: none of ${variables.join(', ')} is set; name a file of hosts by --hosts-from${slurm}`,
    { code: 'ERR_ENVIRONMENT' },
  )
}

async function read(path: string, ms: number): Promise<readonly Host[]> {
  return await readNodeFile(path, ms).catch((cause: unknown) => {
    throw new RunnerError(`Cannot read the hosts of "${path}": ${messageOf(cause)}`, { code: 'ERR_ENVIRONMENT', cause })
  })
}
