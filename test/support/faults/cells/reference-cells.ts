import type { Cell } from '../cell.ts'

const file = { actor: 'scheduler file', moment: 'at the start', strike: { kind: 'none' } } as const
const replaced = {
  ...file,
  survives: true,
  notices: /^1: ready$/m,
  bound: 'at once',
  status: [0],
  prints: /(replac|taking over)[^]*result 21/i,
} as const
const respected = { ...file, bound: 15, status: [73], says: /F\.json/, leaves: ['F.json'] } as const

/** What else the Python runner does not bear, beside its scheduler that cannot start and its killed client. */
export const referenceCells: readonly Cell[] = [
  {
    ...replaced,
    name: 'file-dead-address',
    fault: 'of an earlier run: a dead address',
    launch: { file: 'dead address' },
  },
  { ...replaced, name: 'file-empty', fault: 'empty', launch: { file: 'empty' } },
  { ...replaced, name: 'file-truncated', fault: 'half-written', launch: { file: 'truncated' } },
  {
    ...respected,
    name: 'file-something-else',
    fault: 'something else listens at its address',
    launch: { file: 'something else listens' },
  },
  {
    ...respected,
    name: 'file-another-scheduler',
    fault: 'another Dask scheduler is at its address',
    launch: { file: 'another scheduler' },
  },
  {
    name: 'old-run-closes',
    actor: 'old run',
    fault: 'closes after a new one took the path',
    moment: 'while running',
    strike: { kind: 'new run', file: 'F.json' },
    // A process that has not come is waited for 15 s at the end.
    bound: 'a start',
    status: [0],
  },
  {
    name: 'ordinary-end',
    actor: 'none',
    fault: 'none',
    moment: 'while running',
    strike: { kind: 'none' },
    survives: true,
    clean: true,
    bound: 'at once',
    status: [0],
    prints: /result 21/,
  },
  {
    name: 'two-processes',
    actor: 'none',
    fault: 'none, with two processes',
    moment: 'while running',
    launch: { tasks: 2 },
    strike: { kind: 'none' },
    survives: true,
    clean: true,
    bound: 'at once',
    status: [0],
    prints: /result 21/,
  },
]
