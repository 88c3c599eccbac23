import packageJson from '../../../package.json' with { type: 'json' }
import { checkRunSize } from '../../components/run-size.ts'
import { workersOfProcess } from '../../components/worker-names.ts'
import { messageOf } from '../../errors.ts'
import type { PythonDescription } from '../../python/describe-python.ts'
import { type ClientFacts, checkClient } from './client.ts'
import { checkConfiguration } from './configuration.ts'
import { checkDirectory, type DirectoryFacts } from './directory.ts'
import { checkEnvironment } from './environment.ts'
import { type Finding, found, foundMessage } from './finding.ts'
import { hostsWorkers, type KnownFacts, type Looks, lookAtSelf } from './look-at-self.ts'
import { checkMpi } from './mpi.ts'
import { checkNetwork, checkOpenPorts } from './network.ts'
import { checkNode } from './node.ts'
import { checkSeen, type Probes, valueOf } from './probe.ts'
import { checkBokeh, checkPython } from './python.ts'
import { checkOpenFiles, checkResources, checkVariables, formatThisWorker, type RunResources } from './resources.ts'
import { checkExisting, checkPath } from './path-facts.ts'
import type { Subject } from './subject.ts'
import { checkTemporary } from './temporary.ts'
import { checkTls } from './tls.ts'
import { checkPlace, checkSlurm } from './workload-manager.ts'
import { checkWorkerCommand } from './worker-command.ts'

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

/** Looks at everything that this process can see alone, and checks it. */
export async function examineSelf(subject: Subject, probes: Probes, known: KnownFacts): Promise<SelfFacts> {
  const looks = await lookAtSelf(subject, probes, known)
  const wanted = wantedResources(subject)
  const { resources } = looks
  return {
    findings: [...checkProcess(subject, looks), ...checkPrograms(subject, looks), ...checkHost(subject, looks, wanted)],
    ofRun: subject.rank === 0 ? checkWholeRun(subject, looks) : [],
    gets: hostsWorkers(subject) && 'value' in resources ? formatThisWorker(resources.value, wanted) : undefined,
    python: valueOf(looks.python),
    client: valueOf(looks.client),
    directory: valueOf(looks.directory),
  }
}

function wantedResources({ options, run, rank, runner }: Subject): RunResources {
  const share = run?.identity.share ?? { processes: 1 }
  const roles = run?.roles[rank] ?? []
  return { ...options, nworkers: workersOfProcess(options), roles, runner: runner.kind, share }
}

/** Who this process is, and what started it. */
function checkProcess({ options, place, run, runner }: Subject, { mpi }: Looks): Finding[] {
  return [
    checkNode(packageJson.version, process.versions.node),
    ...checkPlace(place, options.env, runner.kind),
    ...checkSize(run),
    ...(runner.kind === 'slurm' ? [] : [found('ok', 'runner', `${runner.kind}, because ${runner.why}`)]),
    ...checkSeen('mpi', mpi, (facts) => checkMpi(facts, run?.identity)),
  ]
}

/** What this process would start, and with what environment. */
function checkPrograms({ options, run }: Subject, { python, client, workerCommand, tls }: Looks): Finding[] {
  return [
    ...checkSeen('python', python, (facts) => [
      ...checkPython(facts),
      ...checkConfiguration(facts.configuration ?? [], options),
      ...(facts.refusals ?? []).map((refusal) => foundMessage('problem', 'options', refusal)),
    ]),
    // What was seen of its Python is for the run as a whole.
    ...checkSeen('client', client, ({ advice }) => advice.map((text) => foundMessage('note', 'client', text))),
    ...checkSeen('worker command', workerCommand, checkWorkerCommand),
    ...checkEnvironment(options.env, options.protocol),
    ...checkVariables(run?.identity.share ?? { processes: 1 }),
    ...checkSeen('tls', tls, checkTls),
  ]
}

/** What its host has for it: memory and CPUs, directories, the network. */
function checkHost(subject: Subject, looks: Looks, wanted: RunResources): Finding[] {
  const { options, run, isShared } = subject
  const { size = 1, nodes } = run?.identity ?? {}
  return [
    ...checkSeen('resources', looks.resources, (facts) => [
      ...(hostsWorkers(subject) ? checkResources(facts, wanted) : []),
      ...checkOpenFiles(facts.openFiles, size * workersOfProcess(options)),
    ]),
    ...checkSeen('temporary', looks.temporary, (facts) => checkTemporary(facts, options.localDirectory !== undefined)),
    ...checkSeen('directory', looks.directory, (facts) =>
      checkDirectory(facts, { watch: options.watch, nodes: isShared ? nodes : 1 }),
    ),
    ...checkSeen('network', looks.network, (facts) => checkNetwork(facts, { options, nodes: nodes ?? 1 })),
  ]
}

/** What rank 0 looks at for all. */
function checkWholeRun({ options }: Subject, looks: Looks): Finding[] {
  const cluster = valueOf(looks.python)
  const program = valueOf(looks.client)
  return [
    // Where it cannot be seen, the findings of this process say why.
    ...('value' in looks.network ? checkOpenPorts(looks.network.value, options) : []),
    ...checkSeen('slurm', looks.slurm, (facts) => checkSlurm(facts, options.grace)),
    ...(cluster !== undefined && options.scheduler && options.dashboard ? checkBokeh(cluster) : []),
    // In a job of several processes rank 0 compares it with what it has, as the scheduler's.
    ...(program === undefined ? [] : checkClient(program, cluster)),
    ...checkSeen('scheduler file', looks.path, checkPath),
    ...checkSeen('scheduler file', looks.existing, checkExisting),
  ]
}

/** Checks the options against the size of the run. */
function checkSize(run: Subject['run']): Finding[] {
  try {
    if (run !== undefined) checkRunSize(run.options, { roles: run.roles, isOnOneHost: false })
    return []
  } catch (error) {
    return [foundMessage('problem', 'options', messageOf(error))]
  }
}
