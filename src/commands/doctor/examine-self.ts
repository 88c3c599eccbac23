import { dirname } from 'node:path'
import packageJson from '../../../package.json' with { type: 'json' }
import { daskValues } from '../../components/dask-values.ts'
import { workersOfProcess } from '../../components/worker-names.ts'
import type { PrivateDirectory } from '../../filesystem/private-directory.ts'
import { messageOf } from '../../errors.ts'
import type { PythonDescription } from '../../python/describe-python.ts'
import { checkRunSize } from '../../components/run-size.ts'
import { tlsOf } from '../../security/run-tls.ts'
import { absolutePath, temporaryDirectory } from '../../util/surroundings.ts'
import { type ClientFacts, checkClient, lookAtClient } from './client.ts'
import { type DirectoryFacts, existingDirectory, checkDirectory, tryDirectory } from './directory.ts'
import { checkEnvironment } from './environment.ts'
import { type Finding, found, foundMessage } from './finding.ts'
import { checkMpi, checkMpiElsewhere, type MpiFacts } from './mpi.ts'
import { checkNetwork, checkPorts, type NetworkFacts } from './network.ts'
import { checkNode } from './node.ts'
import { judged, probeTimeout, type Probes, pythonTimeout, type Seen, valueOf } from './probe.ts'
import { checkConfiguration } from './configuration.ts'
import { checkDashboard, checkPython, lookAtPython } from './python.ts'
import { checkOpenFiles, checkResources, checkVariables, lookAtResources, formatThisWorker } from './resources.ts'
import { checkExisting, checkStanding, lookAtExisting, lookAtStanding } from './standing.ts'
import type { Subject } from './subject.ts'
import { checkTemporary, lookAtTemporary } from './temporary.ts'
import { checkTls, lookAtTls } from './tls.ts'
import { checkPlace, checkSlurm, lookAtSlurm } from './workload-manager.ts'
import { checkWorkerCommand, lookAtWorkerCommand } from './worker-command.ts'

/** What a process has found, and what the others will want to know of it. */
export interface SelfFacts {
  /** About itself and its host. */
  readonly findings: readonly Finding[]
  /** About the run as a whole, which one process looks at for all. */
  readonly ofRun: readonly Finding[]
  /** What each of its workers would get, in words; undefined where it would host none. */
  readonly gets: string | undefined
  readonly python: PythonDescription | undefined
  /** Undefined where this process would not run the client program, or there is none. */
  readonly client: ClientFacts | undefined
  readonly directory: DirectoryFacts | undefined
}

/** What has been looked at already. */
export interface Known {
  /** Our directory beside the scheduler file. */
  readonly own: Seen<PrivateDirectory>
  readonly network: Seen<NetworkFacts>
  /** Undefined where MPI is not concerned. */
  readonly mpi: Seen<MpiFacts> | undefined
}

/** Looks at everything that this process can see alone, all at once, and judges it. */
export async function examineSelf(subject: Subject, probes: Probes, { own, network, mpi }: Known): Promise<SelfFacts> {
  const { options, runner, isShared, env, place, run, rank, schedulerFile, key } = subject
  const mine = run?.roles[rank]
  const isPart = mine === undefined || mine.some((role) => role !== 'client')
  const isWorker = mine?.includes('worker') ?? true
  const { command, workerCommand: named } = options
  const isClient = command !== undefined && (mine === undefined || mine.includes('client'))
  const size = run?.identity.size ?? 1
  const timeout = pythonTimeout(options.rendezvousTimeout)

  const lookAtDirectory = async (directory: PrivateDirectory): Promise<Seen<DirectoryFacts>> =>
    await probes.look(
      `publish a file in "${directory.path}"`,
      async () => await tryDirectory(directory, dirname(schedulerFile), rank),
    )
  const [python, client, slurm, resources, temporary, tls, directory, standing, existing, workerCommand] =
    await Promise.all([
      isPart
        ? probes.look(
            'ask Python for its versions',
            async () => await lookAtPython(options, env, daskValues(options)),
            3 * timeout,
          )
        : undefined,
      isClient
        ? probes.look(
            'look at the client program',
            async () => await lookAtClient(command, env, { timeout }),
            probeTimeout + 2 * timeout,
          )
        : undefined,
      rank === 0 && runner.kind === 'slurm' ? probes.look('ask Slurm', async () => await lookAtSlurm(env)) : undefined,
      probes.look('look at the limits', lookAtResources),
      probes.look(
        'write a temporary file',
        async () => await lookAtTemporary(await workersDirectory(options.localDirectory)),
      ),
      options.protocol === 'tls'
        ? probes.look('look at the certificates', async () => await lookAtTls(options))
        : undefined,
      'value' in own ? lookAtDirectory(own.value) : own,
      rank === 0 && isShared && options.scheduler
        ? probes.look(
            'look at the scheduler file',
            async () => await lookAtStanding(schedulerFile, { runKey: key, tls: tlsOf(options) }),
          )
        : undefined,
      rank === 0 && isShared && !options.scheduler
        ? probes.look('look at the scheduler file', async () => await lookAtExisting(schedulerFile, tlsOf(options)))
        : undefined,
      isWorker && named !== undefined
        ? probes.look('look for the worker command', async () => await lookAtWorkerCommand(named, env))
        : undefined,
    ])

  const cluster = valueOf(python)
  const program = valueOf(client)
  const nodes = run?.identity.nodes
  const share = run?.identity.share ?? { processes: 1 }
  const wanted = {
    ...options,
    nworkers: workersOfProcess(options),
    roles: mine ?? [],
    launcher: runner.kind,
    share,
  }
  const findings = [
    ...checkNode({ program: packageJson.version, version: process.versions.node, env: options.env }),
    ...checkPlace(place, options.env),
    ...checkSize(run),
    ...(runner.kind === 'mpi' ? [found('ok', 'runner', `mpi, because ${runner.why}`)] : []),
    ...(mpi === undefined
      ? []
      : judged('mpi', mpi, (facts) =>
          runner.kind === 'mpi' ? checkMpi(facts, run?.identity) : checkMpiElsewhere(facts),
        )),
    ...(python === undefined
      ? []
      : judged('python', python, (facts) => [
          ...checkPython(facts, env),
          ...checkConfiguration(facts.configuration ?? [], options),
          ...(facts.refusals ?? []).map((refusal) => foundMessage('problem', 'options', refusal)),
        ])),
    ...(client !== undefined && 'why' in client ? judged('client', client, () => []) : []),
    ...(workerCommand === undefined ? [] : judged('worker command', workerCommand, checkWorkerCommand)),
    ...checkEnvironment(options.env, options.protocol),
    ...checkVariables(share),
    ...(tls === undefined ? [] : judged('tls', tls, checkTls)),
    ...judged('resources', resources, (facts) => [
      ...(isWorker ? checkResources(facts, wanted) : []),
      ...checkOpenFiles(facts.openFiles, size * workersOfProcess(options)),
    ]),
    ...judged('temporary', temporary, (facts) => checkTemporary(facts, options.localDirectory !== undefined)),
    ...judged('directory', directory, (facts) =>
      checkDirectory(facts, { watch: options.watch, nodes: isShared ? nodes : 1 }),
    ),
    ...judged('network', network, (facts) => checkNetwork(facts, { options, nodes: nodes ?? 1 })),
  ]
  const ofRun = [
    // Where it cannot be seen, the findings of this process say why.
    ...(rank === 0 && 'value' in network ? checkPorts(network.value, options) : []),
    ...(slurm === undefined ? [] : judged('slurm', slurm, (facts) => checkSlurm(facts, options.grace))),
    ...(cluster !== undefined && rank === 0 && wantsDashboard(subject) ? checkDashboard(cluster) : []),
    // In a job of several processes process 0 compares it with what it has, as the scheduler's.
    ...(program !== undefined && rank === 0 ? checkClient(program, cluster) : []),
    ...(standing === undefined ? [] : judged('scheduler file', standing, checkStanding)),
    ...(existing === undefined ? [] : judged('scheduler file', existing, checkExisting)),
  ]
  const gets = isWorker && 'value' in resources ? formatThisWorker(resources.value, wanted) : undefined
  return { findings, ofRun, gets, python: cluster, client: program, directory: valueOf(directory) }
}

/** Dask makes the directory that `--local-directory` names. */
async function workersDirectory(named: string | undefined): Promise<string> {
  return named === undefined ? temporaryDirectory() : await existingDirectory(absolutePath(named))
}

/** Judges the options against the size of the run. */
function checkSize(run: Subject['run']): Finding[] {
  try {
    if (run !== undefined) checkRunSize(run.options, { roles: run.roles, isOnOneHost: false })
    return []
  } catch (error) {
    return [foundMessage('problem', 'options', messageOf(error))]
  }
}

function wantsDashboard({ options }: Subject): boolean {
  return options.scheduler && options.dashboard
}
