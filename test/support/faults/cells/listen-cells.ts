import type { Cell, Strike } from '../cell.ts'
import * as says from '../sentences.ts'

const moment = 'before it listens'
const scheduler = { actor: 'scheduler', moment } as const
const client = { actor: 'client', moment } as const
const kill = { kind: 'signal', actor: 'scheduler', rank: 0, signal: 'SIGKILL' } as const
const clean = { survives: true, bound: 'a start', status: [0], prints: /result 21/ } as const

/** Another program wants the scheduler's port, which nobody listens on yet. */
function thief(name: string, reuse: boolean): Cell {
  const fault = `port wanted by a program that listens ${reuse ? 'with' : 'without'} SO_REUSEADDR`
  const strike: Strike = { kind: 'take port', reuse }
  return { ...scheduler, ...clean, name, fault, strike }
}

/** The scheduler's address is known, and the client program runs; the scheduler does not listen yet. */
export const listenCells: readonly Cell[] = [
  {
    ...scheduler,
    name: 'scheduler-sigkill-binding',
    fault: 'SIGKILL',
    strike: kill,
    bound: 'at once',
    status: [69],
    says: says.schedulerKilled,
    chosen: true,
  },
  {
    ...scheduler,
    name: 'scheduler-sigkill-binding-deaf-client',
    fault: 'SIGKILL, and a client program that ignores TERM',
    launch: { client: ['--deaf'] },
    strike: kill,
    bound: 'at once',
    status: [69],
    says: says.schedulerKilled,
  },
  {
    ...scheduler,
    name: 'scheduler-sigstop-binding',
    fault: 'SIGSTOP',
    strike: { ...kill, signal: 'SIGSTOP' },
    bound: 'silence',
    status: [69],
    says: says.schedulerStopped,
  },
  {
    ...scheduler,
    name: 'scheduler-sigterm-binding',
    fault: 'SIGTERM',
    strike: { ...kill, signal: 'SIGTERM' },
    ...clean,
  },
  {
    ...scheduler,
    name: 'scheduler-cannot-start-binding',
    fault: 'cannot start',
    strike: { kind: 'release', file: 'break-import' },
    bound: 'at once',
    status: [69],
    says: says.cannotStart('scheduler', 'status 1'),
    prints: /error: \| ImportError: an import that fails/,
    chosen: true,
  },
  thief('scheduler-port-wanted-binding', false),
  thief('scheduler-port-wanted-reuse-binding', true),
  {
    ...client,
    name: 'client-leaves-binding',
    fault: 'ends with status 3, connected to nothing',
    launch: { client: ['--leave', '--status', '3'] },
    strike: { kind: 'release', file: 'go-leave' },
    bound: 'at once',
    status: [3],
    chosen: true,
  },
  {
    ...client,
    name: 'client-never-connects',
    fault: 'connects to nothing',
    launch: { client: ['--never'] },
    strike: { kind: 'none' },
    survives: true,
    notices: /cluster at/,
    bound: 'at once',
    status: [0],
  },
  {
    ...client,
    name: 'client-sigkill-binding',
    fault: 'SIGKILL',
    strike: { kind: 'signal', actor: 'client', rank: 1, signal: 'SIGKILL' },
    bound: 'at once',
    // Slurm tells of a task that was killed by the status of `srun`, whatever the others do.
    status: [137],
    says: says.clientKilled,
    teller: 1,
  },
]
