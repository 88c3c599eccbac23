import packageJson from '../../../package.json' with { type: 'json' }
import { randomUUID } from 'node:crypto'
import { dirname } from 'node:path'
import * as z from 'zod/mini'
import { RunnerError } from '../../errors.ts'
import { runnerKinds } from '../../options/names.ts'
import { type ChosenRunner, chooseRunner, type RunnerKind } from '../../runners/choose-runner.ts'
import { kinds } from '../../runners/kinds.ts'
import { type CompleteOptions, completeOptions, type RunnerOptions } from '../../options.ts'
import { PrivateDirectory } from '../../filesystem/private-directory.ts'
import type { RunContext } from '../../identity/run-context.ts'
import { compareRanks } from './compare.ts'
import { doctorDirectory, existingDirectory, makeDoctorDirectory } from './directory.ts'
import { examineSelf, type SelfFacts } from './examine-self.ts'
import { bySubject, type Finding, findingSchema, foundMessage } from './finding.ts'
import {
  doctorFiles,
  gatherRanks,
  leaveDirectory,
  leavePresence,
  lookUpRank0,
  type ExchangeOptions,
  sendFacts,
} from './exchange.ts'
import { mergeFindings } from './merge.ts'
import { lookAtMpi, type MpiFacts } from './mpi.ts'
import { lookAtNetwork, type NetworkFacts } from './network.ts'
import { Probes, probeTimeout, type Seen, valueOf } from './probe.ts'
import type { RankFacts, Start } from './rank-facts.ts'
import { formatWho } from './format.ts'
import { type Subject, subjectOf } from './subject.ts'
import { readPorts } from '../../util/ports.ts'
import { ControlServer } from '../../control/server.ts'

/** What to examine. */
export interface DoctorOrders {
  /** The options of the run that is to be judged, with its command. */
  readonly options: RunnerOptions
  /** Whose processes these are. */
  readonly runner: 'auto' | RunnerKind
  /** How long rank 0 waits for the others. In milliseconds. */
  readonly timeout: number
}

export const doctorOrdersSchema: z.ZodMiniType<DoctorOrders> = z.object({
  options: z.custom<RunnerOptions>(
    (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
  runner: z.enum(['auto', ...runnerKinds]),
  timeout: z.number(),
})

/** What is told on the way and at the end. */
export const doctorMessageSchema = z.union([
  /** A directory is about to be made. */
  z.object({ type: z.literal('expected'), path: z.string() }),
  /** A directory was made, which whoever outlives us removes. */
  z.object({ type: z.literal('directory'), path: z.string(), inode: z.string() }),
  z.object({ type: z.literal('finding'), finding: findingSchema }),
  /** Everything is told; `silent` where it is rank 0 who has something to say. */
  z.object({ type: z.literal('done'), silent: z.boolean() }),
])
export type DoctorMessage = z.infer<typeof doctorMessageSchema>

/** How an examination is connected to the rest. */
export interface ExamineSeams {
  readonly tell: (message: DoctorMessage) => void
  /** Ends the examination; what it has made is removed. */
  readonly signal: AbortSignal
}

/**
 * Examines this process and, under a workload manager, compares it with the others of its step. Of
 * these only rank 0 has something to say.
 *
 * @throws the reason of the signal.
 */
export async function examine(orders: DoctorOrders, { tell, signal }: ExamineSeams): Promise<void> {
  const probes = new Probes(signal)
  const given = completeOptions(orders.options)
  // With certificates that are made for the run.
  const options: CompleteOptions = given.secure ? { ...given, protocol: 'tls' } : given
  const runner = chooseOrTell(options, orders.runner)
  if ('level' in runner) {
    conclude({ findings: [runner], silent: false }, tell)
    return
  }
  const { timeout } = orders
  const lookForMpi = async (): Promise<MpiFacts> => await lookAtMpi(options, { timeout, signal })
  const mpi = runner.kind === 'mpi' ? await probes.look('meet over MPI', lookForMpi, timeout + probeTimeout) : undefined
  const wantsFile = orders.options.schedulerFile !== undefined
  const subject = await subjectOf(options, { runner, wantsFile, mpi: valueOf(mpi), signal })
  const own = await enter(subject, probes, tell)
  try {
    const { run } = subject
    const network = await probes.look('look at the networks', async () => await lookAtNetwork(run))
    const self = examineSelf(subject, probes, { own, network, mpi })
    // Only where we are to end, and then nobody waits for it.
    self.catch(() => undefined)
    // Processes of an MPI launcher have met already, and need not share a directory.
    if (run === undefined || run.identity.size === 1 || runner.kind === 'mpi' || 'why' in own) {
      const { findings, ofRun } = await self
      const all = [...findings, ...ofRun]
      conclude(subject.rank === 0 ? { findings: all, silent: false } : speak(run, all), tell)
      return
    }
    const isFirst = run.identity.rank === 0
    const servers = isFirst ? await listen(run, network) : []
    const exchange = { own: own.value, size: run.identity.size, timeout, signal }
    const part = { probes, self, listens: servers.map(({ place }) => place), exchange }
    try {
      conclude(isFirst ? await compare(subject, run, part) : await report(run, part), tell)
    } finally {
      for (const { server } of servers) await server.close()
    }
  } finally {
    await probes.tidied()
    if ('value' in own) await leave(subject, own.value)
  }
}

/** The runner; a problem where variables of two launchers are there. */
function chooseOrTell(options: CompleteOptions, wanted: DoctorOrders['runner']): ChosenRunner | Finding {
  try {
    return chooseRunner(options, wanted)
  } catch (error) {
    if (error instanceof RunnerError && error.code === 'ERR_ENVIRONMENT')
      return foundMessage('problem', 'runner', error.message)
    throw error
  }
}

interface Conclusion {
  readonly findings: readonly Finding[]
  readonly silent: boolean
}

function conclude({ findings, silent }: Conclusion, tell: ExamineSeams['tell']): void {
  for (const finding of bySubject(findings)) tell({ type: 'finding', finding })
  tell({ type: 'done', silent })
}

/** What a process says of itself where it does not tell it to rank 0: its problems. */
function speak(run: RunContext | undefined, findings: readonly Finding[]): Conclusion {
  const me = run === undefined ? '' : `${formatWho([run.identity])}: `
  const problems = findings.filter(({ level }) => level === 'problem')
  const told = problems.map((each) => ({ ...each, finding: `${me}${each.finding}` }))
  return { findings: told, silent: told.length === 0 }
}

/** Makes our directory beside the scheduler file, and leaves word in it that this process is there. */
async function enter(subject: Subject, probes: Probes, tell: ExamineSeams['tell']): Promise<Seen<PrivateDirectory>> {
  const { schedulerFile, key, rank, run } = subject
  const entering = async (): Promise<PrivateDirectory> => {
    const existing = await existingDirectory(dirname(schedulerFile))
    const own = new PrivateDirectory(doctorDirectory(existing, schedulerFile, key))
    // Whoever is the last to be ended leaves none that is empty.
    tell({ type: 'expected', path: own.path })
    await makeDoctorDirectory(own, doctorFiles)
    if (rank === 0) tell({ type: 'directory', ...(await own.identify()) })
    await leavePresence(own, { rank, node: run?.identity.host ?? 'here' })
    return own
  }
  const entered = entering()
  try {
    return await probes.look(`use "${dirname(schedulerFile)}"`, async () => await entered)
  } catch (error) {
    // We are to end, and what has been begun is not to stay.
    await entered.then(
      async (own) => await leave(subject, own),
      () => undefined,
    )
    throw error
  }
}

/** Removes what this process has made, and rank 0 all of it. */
async function leave({ rank }: Subject, own: PrivateDirectory): Promise<void> {
  await leaveDirectory(own, rank === 0 ? 'all' : rank)
}

/** A place where rank 0 listens, so that the others can try to connect. */
interface Listening {
  readonly place: Start['listens'][number]
  readonly server: ControlServer
}

/** Listens as rank 0 of a run does: where its scheduler or worker would, and for the control channel; not where it cannot. */
async function listen(run: RunContext, network: Seen<NetworkFacts>): Promise<readonly Listening[]> {
  const [wanted] = 'value' in network ? network.value.listens : []
  const host = wanted?.chosen?.address ?? (run.identity.nodes === 1 ? '127.0.0.1' : undefined)
  if (wanted === undefined || host === undefined) return []
  const serve = async (what: Listening['place']['what'], ports: string | undefined): Promise<readonly Listening[]> => {
    try {
      const range = ports === undefined ? {} : { ports: readPorts('port', ports) }
      const key = { runKey: 'doctor', nonce: randomUUID(), secret: randomUUID() }
      const server = await ControlServer.listen({ ...key, ...range, host, onMember: () => undefined })
      return [{ place: { what, host, port: server.port }, server }]
    } catch {
      return []
    }
  }
  const { options } = run
  return [
    ...(await serve('dask', wanted.component === 'scheduler' ? options.port : options.workerPort)),
    ...(await serve('control', options.controlPort)),
  ]
}

interface RankExamination {
  readonly probes: Probes
  readonly self: Promise<SelfFacts>
  /** Where rank 0 listens. */
  readonly listens: Start['listens']
  readonly exchange: ExchangeOptions
}

/** Rank 0: waits for what the others have found, and says all of it once. */
async function compare(
  subject: Subject,
  run: RunContext,
  { probes, self, listens, exchange }: RankExamination,
): Promise<Conclusion> {
  const { identity, roles, options } = run
  const [gathered, facts] = await Promise.all([
    probes.look(
      'compare the processes',
      async () => await gatherRanks({ listens }, exchange),
      exchange.timeout + probeTimeout,
    ),
    self,
  ])
  const own = { rank: identity.rank, host: identity.host, findings: facts.findings }
  if ('why' in gathered || facts.directory === undefined) {
    const why = 'why' in gathered ? [foundMessage('problem', 'processes', gathered.why)] : []
    return { findings: [...facts.findings, ...facts.ofRun, ...why], silent: false }
  }
  const ofOthers = gathered.value.seen.map(({ rank, host, findings }) => ({ rank, host, findings }))
  const compared = compareRanks(gathered.value, {
    own: rankFacts(run, facts, {}),
    roles,
    hosts: kinds[subject.runner.kind].hosts(options.env, identity),
    nodes: identity.nodes,
    directory: dirname(subject.schedulerFile),
    filesystem: facts.directory.filesystem,
  })
  return { findings: [...mergeFindings([own, ...ofOthers]), ...facts.ofRun, ...compared], silent: false }
}

/** Every other process: tells rank 0, and speaks itself only where it cannot. */
async function report(run: RunContext, { probes, self, exchange }: RankExamination): Promise<Conclusion> {
  const [rank0, facts] = await Promise.all([
    probes.look('meet rank 0', async () => await lookUpRank0(exchange), exchange.timeout + probeTimeout),
    self,
  ])
  const problem = (why: string): Finding => foundMessage('problem', 'processes', why)
  if (facts.directory === undefined || 'why' in rank0) {
    const why = 'why' in rank0 ? [problem(rank0.why)] : []
    return speak(run, [...facts.findings, ...why])
  }
  // Rank 0 names those that it does not see.
  if (rank0.value === undefined) return { findings: [problem('rank 0 was not seen')], silent: true }
  const reach = rank0.value
  const told = await probes.look(
    'tell rank 0',
    async () => await sendFacts(rankFacts(run, facts, reach), exchange),
    exchange.timeout + probeTimeout,
  )
  return 'why' in told ? { findings: [problem(told.why)], silent: false } : { findings: [], silent: true }
}

function rankFacts({ identity }: RunContext, self: SelfFacts, reach: RankFacts['reach']): RankFacts {
  const { python, client, findings, gets } = self
  return {
    rank: identity.rank,
    host: identity.host,
    program: packageJson.version,
    python: python ?? null,
    client: client === undefined ? null : { command: [...client.command], python: client.python ?? null },
    reach,
    gets: gets ?? null,
    findings: [...findings],
  }
}
