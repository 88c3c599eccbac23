import type { Cell } from '../cell.ts'

const healthy = {
  moment: 'while running',
  strike: { kind: 'none' },
  survives: true,
  status: [0],
  prints: /result 21/,
} as const
const seconds = '60'

/** Busy is not frozen. */
export const busyCells: readonly Cell[] = [
  {
    ...healthy,
    name: 'scheduler-busy',
    actor: 'scheduler',
    fault: 'blocked for 60 s',
    launch: { client: ['--block-scheduler', seconds, '--workers', '2', '--after', '2'] },
    bound: 75,
  },
  {
    ...healthy,
    name: 'worker-busy',
    actor: 'worker',
    fault: 'holds the interpreter lock for 60 s',
    launch: { client: ['--hold-lock', seconds, '--workers', '2', '--after', '2'] },
    bound: 75,
  },
  {
    ...healthy,
    name: 'body-busy',
    actor: 'client (a TypeScript body)',
    fault: 'spins for 60 s',
    launch: { spin: 60 },
    bound: 75,
    prints: /result 2/,
  },
  {
    ...healthy,
    name: 'job-suspended',
    actor: 'job',
    fault: 'suspended for twice the time that counts as lost, and resumed',
    ownHosts: true,
    launch: { client: ['--workers', '2', '--after', '2'] },
    strike: { kind: 'suspend job', times: 2 },
    watched: 3.5,
    bound: 'at once',
    prints: /workers 2\n[^]*result 21/,
    chosen: true,
  },
]
