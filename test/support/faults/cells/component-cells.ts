import type { Actor, Cell, Moment } from '../cell.ts'
import * as says from '../sentences.ts'

/** What a cell of one process of a run needs to be told beyond who, what and when. */
type Rest = Omit<Cell, 'name' | 'actor' | 'fault' | 'moment' | 'strike'>

const words: Readonly<Record<Moment, string>> = {
  'at the start': 'start',
  'before it listens': 'binding',
  'before publication': 'starting',
  'while gating': 'gating',
  'while running': 'running',
  'while ending': 'ending',
  'in its grace': 'grace',
}

/** What tells processes that come late of the end; the next run of that path removes it. */
const lateWord = ['.F.json.run-*']

function cell(actor: Actor, rank: number, signal: NodeJS.Signals, moment: Moment, rest: Rest): Cell {
  const one = actor === 'supervisor' || actor === 'reaper' ? `${actor}${rank}` : actor
  const roles = ['scheduler', 'client', 'worker', 'worker'][rank] ?? ''
  const who = actor === 'supervisor' || actor === 'reaper' ? `${actor} of the ${roles}` : actor
  return {
    name: `${one}-${signal.toLowerCase()}-${words[moment]}`,
    actor: who,
    fault: signal,
    moment,
    strike: { kind: 'signal', actor, rank, signal },
    ...rest,
  }
}

const two = { client: ['--workers', '2', '--after', '2'] }
const clean = { survives: true, bound: 'at once', status: [0], prints: /result 21/ } as const
/** Slurm tells of a task that was killed by the status of `srun`, whatever the others do. */
const killed = [137]

/** Each component of a run, and what supervises it, struck by each signal at each moment at which that differs. */
export const componentCells: readonly Cell[] = [
  // The scheduler.
  cell('scheduler', 0, 'SIGKILL', 'before publication', {
    bound: 'at once',
    status: [69],
    says: says.schedulerKilled,
    chosen: true,
  }),
  cell('scheduler', 0, 'SIGTERM', 'before publication', { ...clean, bound: 'a start' }),
  cell('scheduler', 0, 'SIGSTOP', 'before publication', {
    bound: 'silence',
    status: [69],
    says: says.schedulerStopped,
  }),
  cell('scheduler', 0, 'SIGKILL', 'while gating', { bound: 'at once', status: [69], says: says.schedulerKilled }),
  cell('scheduler', 0, 'SIGKILL', 'while running', {
    bound: 'at once',
    status: [69],
    says: says.schedulerKilled,
    chosen: true,
  }),
  cell('scheduler', 0, 'SIGTERM', 'while running', { ...clean }),
  cell('scheduler', 0, 'SIGSTOP', 'while running', {
    bound: 'silence',
    status: [69],
    says: says.schedulerStopped,
    chosen: true,
    atDefaults: true,
  }),
  cell('scheduler', 0, 'SIGKILL', 'while ending', { says: 'whatever', bound: 'at once', status: [0] }),
  cell('scheduler', 0, 'SIGSTOP', 'while ending', { says: 'whatever', bound: 'at once', status: [0] }),

  // The client program.
  cell('client', 1, 'SIGKILL', 'while gating', {
    bound: 'at once',
    status: killed,
    says: says.clientKilled,
    teller: 1,
  }),
  cell('client', 1, 'SIGKILL', 'while running', {
    bound: 'at once',
    status: killed,
    says: says.clientKilled,
    teller: 1,
    chosen: true,
  }),
  cell('client', 1, 'SIGTERM', 'while running', {
    bound: 'at once',
    status: [143],
    says: says.clientTerminated,
    teller: 1,
  }),
  // A program that stays stopped is killed, and that is its status.
  cell('client', 1, 'SIGSTOP', 'while running', {
    bound: 'silence',
    status: killed,
    says: says.clientStopped,
    teller: 1,
  }),
  cell('client', 1, 'SIGKILL', 'in its grace', {
    launch: { client: ['--grace'] },
    bound: 'at once',
    status: killed,
    says: says.clientKilled,
    teller: 1,
  }),
  cell('client', 1, 'SIGSTOP', 'in its grace', {
    launch: { client: ['--grace'] },
    bound: 'grace',
    status: [137, 143],
    says: says.any,
    teller: 1,
  }),

  // A worker.
  cell('worker', 2, 'SIGKILL', 'while gating', {
    ...clean,
    // Another worker has to start.
    bound: 'a start',
    notices: says.workerAgain,
    prints: /workers 2\n[^]*result 21/,
    launch: { client: ['--after', '2'] },
  }),
  cell('worker', 2, 'SIGKILL', 'while running', {
    ...clean,
    // Another worker has to start.
    bound: 'a start',
    notices: says.workerAgain,
    prints: /workers 2\n[^]*result 21/,
    launch: two,
    chosen: true,
  }),
  cell('worker', 2, 'SIGTERM', 'while running', { ...clean, launch: two, prints: /workers 2\n[^]*result 21/ }),
  cell('worker', 2, 'SIGSTOP', 'while running', {
    ...clean,
    // Another worker has to start.
    bound: 'a start',
    notices: says.workerStopped,
    prints: /workers 2\n[^]*result 21/,
    launch: two,
    chosen: true,
  }),
  cell('worker', 2, 'SIGKILL', 'while ending', { says: 'whatever', bound: 'at once', status: [0] }),
  cell('worker', 2, 'SIGSTOP', 'while ending', { says: 'whatever', bound: 'at once', status: [0] }),

  // The scheduler's supervisor, rank 0.
  cell('supervisor', 0, 'SIGKILL', 'before publication', {
    bound: 'at once',
    status: killed,
    says: says.lostProcess(0),
    teller: 1,
    chosen: true,
  }),
  cell('supervisor', 0, 'SIGTERM', 'before publication', { bound: 'at once', status: [143], prints: says.terminated }),
  cell('supervisor', 0, 'SIGSTOP', 'before publication', {
    bound: 'silence',
    lastResort: true,
    status: 'failure',
    says: says.lostProcess(0),
    teller: 1,
  }),
  cell('supervisor', 0, 'SIGKILL', 'while gating', {
    bound: 'at once',
    status: killed,
    says: says.lostProcess(0),
    teller: 1,
    leaves: lateWord,
  }),
  cell('supervisor', 0, 'SIGSTOP', 'while gating', {
    bound: 'silence',
    lastResort: true,
    status: 'failure',
    // Its reaper may kill it before the others miss it.
    says: says.lostProcess(0),
    teller: 1,
    leaves: lateWord,
    toldAgain: 'the last rank may not have joined yet, and finds by itself that rank 0 does not answer',
  }),
  cell('supervisor', 0, 'SIGKILL', 'while running', {
    bound: 'at once',
    status: killed,
    says: says.lostProcess(0),
    teller: 1,
    chosen: true,
    atDefaults: true,
  }),
  cell('supervisor', 0, 'SIGTERM', 'while running', { bound: 'at once', status: [143], prints: says.terminated }),
  cell('supervisor', 0, 'SIGSTOP', 'while running', {
    bound: 'silence',
    lastResort: true,
    status: 'failure',
    says: says.silent(0),
    teller: 1,
    chosen: true,
    atDefaults: true,
  }),
  cell('supervisor', 0, 'SIGKILL', 'while ending', {
    says: 'whatever',
    bound: 'at once',
    status: killed,
  }),
  cell('supervisor', 0, 'SIGSTOP', 'while ending', {
    says: 'whatever',
    bound: 'silence',
    lastResort: true,
    status: 'any',
  }),

  // The client's supervisor.
  cell('supervisor', 1, 'SIGKILL', 'before publication', {
    bound: 'at once',
    status: killed,
    says: says.lostProcess(1),
  }),
  cell('supervisor', 1, 'SIGTERM', 'before publication', {
    bound: 'at once',
    status: [143],
    prints: says.terminated,
    chosen: true,
  }),
  cell('supervisor', 1, 'SIGSTOP', 'before publication', {
    bound: 'silence',
    lastResort: true,
    status: 'failure',
    says: says.silent(1),
  }),
  cell('supervisor', 1, 'SIGKILL', 'while gating', {
    bound: 'at once',
    status: killed,
    says: says.lostProcess(1),
  }),
  cell('supervisor', 1, 'SIGKILL', 'while running', {
    bound: 'at once',
    status: killed,
    says: says.lostProcess(1),
    chosen: true,
  }),
  cell('supervisor', 1, 'SIGTERM', 'while running', { bound: 'at once', status: [143], prints: says.terminated }),
  cell('supervisor', 1, 'SIGSTOP', 'while running', {
    bound: 'silence',
    lastResort: true,
    status: 'failure',
    says: says.lostProcess(1),
  }),
  cell('supervisor', 1, 'SIGKILL', 'while ending', {
    launch: { client: ['--status', '3'] },
    says: 'whatever',
    bound: 'at once',
    status: killed,
  }),
  cell('supervisor', 1, 'SIGSTOP', 'while ending', {
    launch: { client: ['--status', '3'] },
    says: 'whatever',
    bound: 'silence',
    lastResort: true,
    status: 'any',
  }),

  // A worker's supervisor.
  cell('supervisor', 2, 'SIGKILL', 'before publication', {
    ...clean,
    bound: 'a start',
    status: killed,
    notices: says.lostProcess(2),
  }),
  cell('supervisor', 2, 'SIGTERM', 'before publication', { bound: 'at once', status: [143], prints: says.terminated }),
  // Its reaper ends it a quarter later than the others miss it.
  cell('supervisor', 2, 'SIGSTOP', 'before publication', {
    ...clean,
    bound: 'silence',
    lastResort: true,
    status: 'any',
  }),
  cell('supervisor', 2, 'SIGKILL', 'while running', {
    ...clean,
    status: killed,
    notices: says.lostProcess(2),
    launch: { client: ['--workers', '2'] },
  }),
  cell('supervisor', 2, 'SIGTERM', 'while running', { bound: 'at once', status: [143], prints: says.terminated }),
  cell('supervisor', 2, 'SIGSTOP', 'while running', {
    ...clean,
    status: 'any',
    lastResort: true,
    notices: says.silent(2),
    launch: { client: ['--workers', '2'] },
  }),
  cell('supervisor', 2, 'SIGKILL', 'while ending', { says: 'whatever', bound: 'at once', status: killed }),
  cell('supervisor', 2, 'SIGSTOP', 'while ending', {
    says: 'whatever',
    bound: 'silence',
    lastResort: true,
    status: 'any',
  }),

  // Reapers.
  cell('reaper', 0, 'SIGKILL', 'while running', { ...clean, chosen: true }),
  cell('reaper', 1, 'SIGKILL', 'while running', { ...clean }),
  cell('reaper', 2, 'SIGKILL', 'while running', { ...clean }),
  cell('reaper', 0, 'SIGTERM', 'while running', { ...clean }),
  cell('reaper', 1, 'SIGTERM', 'while running', { ...clean }),
  cell('reaper', 0, 'SIGSTOP', 'while running', { ...clean, bound: 15 }),
  cell('reaper', 2, 'SIGSTOP', 'while running', { ...clean, bound: 15 }),
  cell('reaper', 0, 'SIGKILL', 'while ending', { says: 'whatever', bound: 'at once', status: [0] }),
]
