import { busyCells } from './cells/busy-cells.ts'
import { componentCells } from './cells/component-cells.ts'
import { hostCells } from './cells/host-cells.ts'
import { listenCells } from './cells/listen-cells.ts'
import { referenceCells } from './cells/reference-cells.ts'
import { startCells } from './cells/start-cells.ts'
import type { Cell } from './cell.ts'

/** The fault matrix: every cell that differs from the others. */
export const cells: readonly Cell[] = [
  ...[...componentCells, ...hostCells, ...startCells, ...listenCells],
  ...[...busyCells, ...referenceCells],
]

/** The cells that are not there, and why: what the table in docs/ says below itself. */
export const noCells: readonly (readonly [what: string, why: string])[] = [
  [
    'host × SIGTERM',
    'a host takes no signal; one that shuts down in order sends TERM to its tasks: see the supervisors',
  ],
  ['host, link × cannot start', 'Slurm starts no step on a host that it cannot reach'],
  ['link × SIGTERM', 'a link is there or not; one that comes back is `link0-cut-for-a-while`'],
  ['worker × before it listens, before publication', 'they start only when the scheduler is published'],
  ['client × before publication', 'the scheduler listens already: as in `while gating`'],
  ['client × while ending', 'the end begins when it has ended; the one that a signal begins is `in its grace`'],
  [
    'reaper × before publication, while gating',
    'it has no part in a start: its supervisor starts another at any moment by the same code',
  ],
  ['reaper × cannot start', 'it is /bin/sh, without which no component starts either: see those'],
  ['SIGTERM × while ending', 'components ignore it, and a supervisor that is ending does already what TERM asks for'],
  [
    'worker, its supervisor, host and link × while gating',
    'rank 3, the one that has not come, is another one: the others have passed their gates, as in `while running`',
  ],
  ['host, link of the client × while gating, while ending', 'as the supervisor of the client with SIGSTOP: silence'],
]
