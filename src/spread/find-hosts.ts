import { readFile, stat } from 'node:fs/promises'
import { RunnerError } from '../errors.ts'
import { formatReadError } from '../filesystem/system-error.ts'
import { formatKind } from '../filesystem/untrusted.ts'
import { type Environment, readVariable } from '../identity/environment.ts'
import { withIoTimeout } from '../util/io-timeout.ts'
import { type Host, isSameHost, parseNodeFile } from './node-file.ts'
import { type Starter, type StarterName, starterOf, starters } from './starters.ts'

/** How long a node file may take to be read. In milliseconds. */
const patience = 10_000

/** No node file is larger. In bytes. */
const largest = 64_000_000

/** What says where to start, and how. */
export interface HostOptions {
  /** A file with the hosts. @default the node file of the job */
  readonly hostsFrom?: string | undefined
  /** @default that of the job's system, else ssh */
  readonly with?: StarterName | undefined
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
  const wanted = parseNodeFile(await read(path), path)
  const hosts = starter.countsLines === true ? await numbered(wanted, fileOf(env, starter.nodeFiles), starter) : wanted
  // Slots of a file that somebody has written may be anything.
  return { hosts, starter, slotsAreCpus: options.hostsFrom === undefined && system?.slotsAreCpus === true }
}

/** The same hosts with their lines in the node file of the job. */
async function numbered(
  hosts: readonly Host[],
  path: string | undefined,
  { name, nodeFiles }: Starter,
): Promise<readonly Host[]> {
  const cannot = (why: string): RunnerError =>
    new RunnerError(`Cannot start ranks by ${name}: ${why}; name another program by --with`, {
      code: 'ERR_ENVIRONMENT',
    })
  if (path === undefined) throw cannot(`${nodeFiles.join(', ')} is not set`)
  const ofJob = parseNodeFile(await read(path), path)
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

async function read(path: string): Promise<string> {
  const cannot = (why: string, cause?: unknown): RunnerError =>
    new RunnerError(`Cannot read the hosts of "${path}": ${why}`, { code: 'ERR_ENVIRONMENT', cause })
  const reading = async (): Promise<string> => {
    const found = await stat(path)
    // What is no file may never end, or never begin.
    if (!found.isFile()) throw new Error(`it is ${formatKind(found)}, not a regular file`)
    if (found.size > largest) throw new Error(`it is larger than ${largest / 1_000_000} MB`)
    return await readFile(path, 'utf8')
  }
  try {
    return await withIoTimeout(reading(), patience, () => new Error('its filesystem does not answer'))
  } catch (error) {
    throw cannot(formatReadError(error), error)
  }
}
