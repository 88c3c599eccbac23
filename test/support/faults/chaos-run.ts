import { setTimeout as sleep } from 'node:timers/promises'
import type { Actor, Strike } from './cell.ts'
import { Decoys, decoyNames } from './decoys.ts'
import { until } from '../until.ts'
import { FaultRun, formatProcesses } from './fault-run.ts'
import { errorsOf } from './judge.ts'
import { launch } from './launch.ts'
import { filesLeft } from './leftovers.ts'
import { lastResortOf, secondsOf } from './limits.ts'
import type { Random } from './random.ts'
import type { CellPlace } from './run-cell.ts'
import { terminated } from './sentences.ts'
import type { Step } from './step.ts'
import { strike, type Struck } from './strikes.ts'
import { type End, watch } from './watch.ts'

/** How long the client program computes, and so most of a run is. In seconds. */
const computing = 3

/** How long one is waited for that was killed before its first word, at most. In seconds. */
const rendezvous = 30

/** A run that goes on has to start and to end besides, on a machine that does other things. In seconds. */
const slack = 15

/** A random fault at a random moment. */
export interface Surprise {
  readonly strike: Strike
  /** Seconds from the start of `srun` on; for what befalls a host, from the first moment of the last process on. */
  readonly delay: number
}

/** What a run with a surprise has shown. */
export interface ChaosResult {
  readonly surprise: Surprise
  /** Whether the run was still there to be struck. */
  readonly struck: boolean
  readonly problems: readonly string[]
  readonly end: End
  readonly status: number | undefined
  readonly output: string
}

const ranks = [0, 1, 2, 3]
const places: Readonly<Record<Actor, readonly number[]>> = {
  scheduler: [0],
  client: [1],
  worker: [2, 3],
  supervisor: ranks,
  reaper: ranks,
}

/** Draws a fault and its moment, from before the first process until after the last. */
export function draw(random: Random): Surprise {
  const delay = random.next() * (computing + 3)
  const kind = random.of(['signal', 'signal', 'signal', 'host', 'link'] as const)
  if (kind === 'host')
    return { delay, strike: { kind: random.of(['kill host', 'freeze host']), rank: random.of(ranks) } }
  if (kind === 'link') {
    const rank = random.of(ranks)
    const strike = random.of<Strike>([
      { kind: 'cut link', rank },
      { kind: 'cut link for a while', rank, times: 0.5 },
    ])
    return { delay, strike }
  }
  const actor = random.of(['scheduler', 'client', 'worker', 'supervisor', 'supervisor', 'reaper'] as const)
  const signal = random.of(['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const)
  return { delay, strike: { kind: 'signal', actor, rank: random.of(places[actor]), signal } }
}

/** Whether no other run may be on the hosts meanwhile. */
export function wantsOwnHosts({ strike }: Surprise): boolean {
  return strike.kind !== 'signal'
}

export function formatStrike(strike: Strike): string {
  if (strike.kind === 'signal') return `${strike.signal} to the ${strike.actor} of rank ${strike.rank}`
  return 'rank' in strike ? `${strike.kind}, rank ${strike.rank}` : strike.kind
}

/** One run with a surprise: it has to end in its time, and to leave nothing but other runs' files as they were. */
export async function runChaos(surprise: Surprise, place: CellPlace): Promise<ChaosResult> {
  const limits = { ...place.limits, rendezvous: Math.min(place.limits.rendezvous, rendezvous) }
  await using run = await FaultRun.make(place)
  const decoys = await Decoys.place(run)
  const step = await launch(run, {
    launch: { client: ['--compute', String(computing)] },
    moment: 'at the start',
    limits,
  })
  await run.release('go')
  // Before that a lost host is Slurm's own affair: the step is not started then.
  if (wantsOwnHosts(surprise)) await launched(run, step)
  await sleep(surprise.delay * 1000)
  let struck: Struck | undefined
  if (step.status === undefined) {
    // Whom it is to strike may not be there yet, or not any more.
    const over = step.ended.then(() => undefined)
    struck = await Promise.race([strike(surprise.strike, run, limits), over]).catch(() => undefined)
  }
  const since = performance.now()
  try {
    const bound = secondsOf('silence', limits) + computing + slack
    const srunBound = bound + lastResortOf(limits)
    const none: Struck = { stopped: new Set(), over: Promise.resolve(), mend: () => Promise.resolve() }
    const end = await watch(run, step, { struck: struck ?? none, since, patience: srunBound + 10 })
    await struck?.over
    await struck?.mend()
    const problems: string[] = []
    const lost = struck?.lost === true ? struck.silent : undefined
    if (end.processes === undefined || end.processes > bound)
      problems.push(`${end.processes === undefined ? 'hangs' : `late, ${end.processes.toFixed(1)} s`}: ${end.left}`)
    if (end.srun === undefined || end.srun > srunBound) problems.push(`srun ${end.srun?.toFixed(1) ?? 'hangs'}`)
    if (end.processes !== undefined && end.all === undefined) problems.push(`stopped processes stay: ${end.left}`)
    problems.push(...formatStatus(step.status, step.output))
    const touched = await decoys.touched(lost)
    if (touched.length > 0) problems.push(`files of other runs were touched: ${touched.join(' ')}`)
    // For a process that never came, the word is left that its run is over.
    const word = step.output.includes('ended without having seen rank') ? ['.F.json.run-*'] : []
    const left = await filesLeft(run, [...decoyNames, ...word, ...leavings(surprise.strike)], lost)
    if (left.length > 0) problems.push(`left: ${left.join(' ')}`)
    return { surprise, struck: struck !== undefined, problems, end, status: step.status, output: step.output }
  } finally {
    await struck?.mend()
  }
}

/** Until the step has a process on every host, or is over. */
async function launched(run: FaultRun, step: Step): Promise<void> {
  await until(
    () => new Set(run.processes().map(({ host }) => host)).size === run.hosts.length || step.status !== undefined,
    (done) => done,
    { what: 'the step has a process on every host', say: () => formatProcesses(run.processes()) },
  )
}

/** What is documented to stay: the next run on the path takes it over, or Slurm killed a reaper with its host. */
function leavings(strike: Strike): string[] {
  const killed = strike.kind === 'freeze host' ? ['dask-hpc-runner-*'] : []
  const unreachable = strike.kind !== 'signal' && 'rank' in strike && strike.rank === 0
  return unreachable ? ['F.json', '.F.json.*', ...killed] : killed
}

/** The program's own status, what the runner documents, or a signal's. */
const statuses: ReadonlySet<number> = new Set([0, 69, 75, 130, 137, 143])

function formatStatus(status: number | undefined, output: string): string[] {
  if (status === undefined) return []
  const finished = /^1: result 21$/m.test(output)
  if (!statuses.has(status)) return [`status ${status}`]
  if (status === 0 && !finished) return ['status 0 without a result']
  if (status !== 0 && !finished && !tellsTheCause(status, output)) return [`status ${status} without a sentence`]
  return []
}

/** A run that somebody has told to end before it began says so, and that is no error. */
function tellsTheCause(status: number, output: string): boolean {
  return errorsOf(output).length > 0 || (status === 143 && terminated.test(output))
}
