// What a rank costs while it waits for the broadcast of rank 0, and whether its event loop goes on. Both
// for the process of the rank and for the one that calls the MPI library in its place.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { Cluster, programs } from '../test/support/cluster.ts'
import { helperOfRank, launchers, type MpiLauncher, mpiTest, processOfRank, startRanks } from '../test/support/mpi.ts'
import { medianOf, table } from './support/table.ts'

const ranks = 4
/** How long the cost is measured, in milliseconds. */
const span = 8_000
/** The limits that the README states: thousandths of a core for each rank, and milliseconds. */
const costLimit = 20
const gapLimit = 50
/** Clock ticks of /proc in a second. */
const ticks = 100

/** CPU time that a process has used, in milliseconds. */
async function cpu(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticks
}

/** Rank 0 says where it is when a file is there. */
const hold = join(programs, 'hold-broadcast.cjs')

/** Runs `look` while the ranks wait. */
async function whileWaiting(
  launcher: MpiLauncher,
  { options = '', ...env }: { readonly options?: string; readonly [name: string]: string | undefined },
  look: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  await using cluster = await Cluster.make()
  const go = join(cluster.directory, 'go')
  const held = { NODE_OPTIONS: `--require=${hold} ${options}`, HOLD_BROADCAST: go }
  const run = startRanks(cluster, launcher, ranks, ['run', '--verbose', '--', 'true'], { ...env, ...held })
  await run.expectOutput('all 4 processes have come')
  await sleep(2_000)
  await look(cluster)
  expect(run.stderr).not.toContain('cluster at')
  await writeFile(go, '')
  await run.expectStatus(0)
}

for (const launcher of launchers) {
  mpiTest(`waiting for the broadcast under ${launcher.name}`, async () => {
    const costs: number[] = []
    await whileWaiting(launcher, {}, async (cluster) => {
      const all = Array.from({ length: ranks }, (_, rank) => rank).slice(1)
      const pids = await Promise.all(
        all.map(async (rank) => [await processOfRank(cluster, rank), await helperOfRank(cluster, rank)]),
      )
      const used = async (): Promise<number[]> =>
        await Promise.all(
          pids.map(async (pair) => (await Promise.all(pair.map(cpu))).reduce((sum, each) => sum + each, 0)),
        )
      const before = await used()
      await sleep(span)
      const after = await used()
      costs.push(...after.map((each, i) => ((each - (before[i] ?? 0)) / span) * 1000))
    })

    const gaps: number[] = []
    const own: number[] = []
    const preload = join(import.meta.dirname, 'support/loop-gaps.mjs')
    await whileWaiting(launcher, { options: `--import=${preload}`, LOOP_GAPS: 'gaps' }, async (cluster) => {
      const from = Date.now() + 1_000
      await sleep(span)
      for (const file of (await readdir(cluster.work)).filter((name) => basename(name).startsWith('gaps.'))) {
        const lines = (await readFile(join(cluster.work, file), 'utf8')).trim().split('\n')
        const seen = lines.map((line) => line.split(' ').map(Number)).filter(([when = 0]) => when >= from)
        if (seen.length === 0) continue
        gaps.push(Math.max(...seen.map(([, gap = Number.NaN]) => gap)))
        own.push(Math.max(...seen.map(([, , gap = Number.NaN]) => gap)))
      }
    })
    process.stdout.write(
      table(`Waiting for the broadcast, ${ranks} ranks, ${span / 1000} s, ${launcher.name}`, [
        ['thousandths of a core, each rank with its helper', costs],
        ['longest gap of each event loop, ms', gaps],
        ['the same less its wait for a CPU, ms', own],
      ]),
    )
    expect(costs).toHaveLength(ranks - 1)
    expect(gaps.length).toBeGreaterThanOrEqual(ranks * 2)
    expect(medianOf(costs)).toBeLessThan(costLimit)
    // What else runs on this machine is not our blocking.
    expect(Math.max(...own)).toBeLessThan(gapLimit)
  })
}
