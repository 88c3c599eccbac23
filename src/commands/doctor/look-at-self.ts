import { dirname } from 'node:path'
import { daskValues } from '../../components/dask-arguments.ts'
import type { PrivateDirectory } from '../../filesystem/private-directory.ts'
import type { PythonDescription } from '../../python/describe-python.ts'
import { tlsOf } from '../../security/run-tls.ts'
import { absolutePath, temporaryDirectory } from '../../util/surroundings.ts'
import { type ClientFacts, lookAtClient } from './client.ts'
import { type DirectoryFacts, existingDirectory, tryDirectory } from './directory.ts'
import type { MpiFacts } from './mpi.ts'
import type { NetworkFacts } from './network.ts'
import { probeTimeout, type Probes, pythonTimeout, type Seen } from './probe.ts'
import { lookAtPython } from './python.ts'
import { lookAtResources } from './resources.ts'
import { lookAtExisting, lookAtPath } from './path-facts.ts'
import type { Subject } from './subject.ts'
import { lookAtTemporary } from './temporary.ts'
import { lookAtTls } from './tls.ts'
import { lookAtSlurm } from './workload-manager.ts'
import { lookAtWorkerCommand, type WorkerCommandFacts } from './worker-command.ts'

/** What has been looked at already. */
export interface KnownFacts {
  /** Our directory beside the scheduler file. */
  readonly own: Seen<PrivateDirectory>
  readonly network: Seen<NetworkFacts>
  /** Undefined where MPI is not concerned. */
  readonly mpi: Seen<MpiFacts> | undefined
}

/** What came of each look; undefined where it is not for this process. */
export type Looks = Awaited<ReturnType<typeof lookAtSelf>>

/** Looks at everything that this process can see alone, all at once. */
export async function lookAtSelf(subject: Subject, probes: Probes, { own, network, mpi }: KnownFacts) {
  const { options, schedulerFile, rank, key } = subject
  const { scheduler, protocol, secure, localDirectory } = options
  const ofFile = async <T>(look: () => Promise<T>): Promise<Seen<T>> =>
    await probes.look('look at the scheduler file', look)
  const isOfRun = rank === 0 && subject.isShared
  const tls = tlsOf(options)
  return await allOf({
    network,
    mpi,
    python: lookForPython(subject, probes),
    client: lookForClient(subject, probes),
    slurm:
      rank === 0 && subject.runner.kind === 'slurm'
        ? probes.look('ask Slurm', async () => await lookAtSlurm(subject.env))
        : undefined,
    resources: probes.look('look at the limits', lookAtResources),
    temporary: probes.attempt(
      'write a temporary file',
      async () => await lookAtTemporary(await workersDirectory(localDirectory)),
    ),
    tls:
      protocol === 'tls' && !secure
        ? probes.look('look at the certificates', async () => await lookAtTls(tls))
        : undefined,
    directory: 'value' in own ? lookForDirectory(own.value, subject, probes) : own,
    path: isOfRun && scheduler ? ofFile(async () => await lookAtPath(schedulerFile, { runKey: key, tls })) : undefined,
    existing: isOfRun && !scheduler ? ofFile(async () => await lookAtExisting(schedulerFile, tls)) : undefined,
    workerCommand: lookForWorkerCommand(subject, probes),
  })
}

/** What comes of each of them. */
async function allOf<T extends Readonly<Record<string, unknown>>>(
  looks: T,
): Promise<{ readonly [Name in keyof T]: Awaited<T[Name]> }> {
  const all = Object.entries(looks).map(async ([name, look]) => [name, await look] as const)
  return Object.fromEntries(await Promise.all(all)) as { [Name in keyof T]: Awaited<T[Name]> }
}

async function lookForPython(
  { run, rank, options, env }: Subject,
  probes: Probes,
): Promise<Seen<PythonDescription> | undefined> {
  // A process that runs the client program alone needs no Dask of its own.
  if (run?.roles[rank]?.some((role) => role !== 'client') === false) return undefined
  return await probes.look(
    'ask Python for its versions',
    async () => await lookAtPython(options, env, daskValues(options)),
    3 * pythonTimeout(options.rendezvousTimeout),
  )
}

async function lookForClient(
  { run, rank, options, env, schedulerFile }: Subject,
  probes: Probes,
): Promise<Seen<ClientFacts> | undefined> {
  const { command } = options
  if (command === undefined || run?.roles[rank]?.includes('client') === false) return undefined
  const timeout = pythonTimeout(options.rendezvousTimeout)
  return await probes.look(
    'look at the client program',
    async () => await lookAtClient(command, { env, schedulerFile, timeout }),
    probeTimeout + 2 * timeout,
  )
}

async function lookForDirectory(
  directory: PrivateDirectory,
  { schedulerFile, rank }: Subject,
  probes: Probes,
): Promise<Seen<DirectoryFacts>> {
  return await probes.attempt(
    `publish a file in "${directory.path}"`,
    async () => await tryDirectory(directory, dirname(schedulerFile), rank),
  )
}

async function lookForWorkerCommand(subject: Subject, probes: Probes): Promise<Seen<WorkerCommandFacts> | undefined> {
  const { workerCommand } = subject.options
  if (workerCommand === undefined || !hostsWorkers(subject)) return undefined
  return await probes.look(
    'look for the worker command',
    async () => await lookAtWorkerCommand(workerCommand, subject.env),
  )
}

/** Whether this process hosts workers, or would in a job. */
export function hostsWorkers({ run, rank }: Subject): boolean {
  return run?.roles[rank]?.includes('worker') ?? true
}

/** Dask makes the directory that `--local-directory` names. */
async function workersDirectory(named: string | undefined): Promise<string> {
  return named === undefined ? temporaryDirectory() : await existingDirectory(absolutePath(named))
}
