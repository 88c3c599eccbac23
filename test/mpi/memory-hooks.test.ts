import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'
import { helperOfRank, mpich, mpiTest, startRanks } from '../support/mpi.ts'

/** Kilobytes of the C library's code that process `pid` has of its own, because something has rewritten them. */
async function rewrittenCode(pid: number): Promise<number> {
  const maps = (await readFile(`/proc/${pid}/smaps`, 'utf8')).split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
  const code = maps.filter((map) => /^\S+ r-xp .*\/libc\.so/.test(map))
  expect(code).not.toEqual([])
  return code.reduce((sum, map) => sum + Number(/^Private_Dirty: +(\d+) kB$/m.exec(map)?.[1]), 0)
}

/** While UCX tries its memory hooks out, it may take a page in use away from malloc. */
mpiTest('UCX sets no memory hooks in the process that calls the library', async () => {
  await using cluster = await Cluster.make()
  // The library is in use until rank 0 has said where it is.
  const unsaid = {
    NODE_OPTIONS: `--require=${join(programs, 'hold-broadcast.cjs')}`,
    HOLD_BROADCAST: join(programs, 'is-not-there'),
  }
  const run = startRanks(cluster, mpich, 2, ['run', '--verbose', '--', 'true'], unsaid)
  await run.expectOutput('all 2 processes have come')
  expect(await rewrittenCode(await helperOfRank(cluster, 1))).toBe(0)
  run.signal('SIGTERM')
  await run.ended
  await cluster.expectNothingLeft()
})
