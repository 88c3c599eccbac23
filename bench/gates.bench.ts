// From publication to the gates of the other processes, on four hosts whose mounts believe for 4 s what
// they have seen, missing names included; beside a loop that asks for the scheduler file by its name, as the
// Python runner does, on the same mounts in the same run.
import { expect } from 'vitest'
import { slurmTest } from '../test/support/slurm/slurm-test.ts'
import { note } from './support/results.ts'
import { medianOf, table } from './support/table.ts'

const rounds = 5
/** Seconds for which everybody waits before there is a file, so that the caches have something to believe. */
const delay = 6
/** The limit that issue and README state for the default poll interval, in milliseconds. */
const limit = 500

const test = slurmTest({ cacheSeconds: 4 })

/** Looks for the file each 0.2 s; says when it was written and when it was seen, in milliseconds. */
const statLoop = `
import os, sys, time
while not os.path.exists(sys.argv[1]):
    time.sleep(0.2)
seen = time.time()
print(os.stat(sys.argv[1]).st_mtime * 1000, seen * 1000, flush=True)
`

/** Rank 0 comes later than the others, which wait until then. */
const late = `if [ "$SLURM_PROCID" = 0 ]; then sleep ${delay}; fi; exec dask-hpc-runner "$@"`

interface Message {
  readonly time: string
  readonly who: string
  readonly message: string
}

test('publication to gate', async ({ slurm, work }) => {
  const ours: number[][] = []
  const byName: number[][] = []
  for (let round = 0; round < rounds; round++) {
    const name = `F${round}.json`
    const loops = slurm.nodes.map((node) =>
      slurm.on(node, ['python3', '-c', statLoop, name], { directory: work.directory }),
    )
    const options = ['--log-format', 'json', '--scheduler-file', name, '--wait-workers', 'all', '--', 'sleep', '10']
    const step = work.srun(['--nodes=4', '--ntasks=4'], ['bash', '-c', late, 'bash', 'run', ...options])
    const seen = (await Promise.all(loops)).map((line) => line.trim().split(' ').map(Number))
    await step.expectStatus(0)
    const written = seen[0]?.[0] ?? Number.NaN
    byName.push(seen.map(([, when = Number.NaN]) => when - written))
    const gates = step.stderr
      .split('\n')
      .filter((line) => line.includes('joined the run'))
      .map((line) => JSON.parse(line) as Message)
    expect(gates).toHaveLength(3)
    ours.push(gates.map(({ time }) => Date.parse(time) - written))
  }
  await work.expectNothingLeft()

  const last = (runs: number[][]): number[] => runs.map((run) => Math.max(...run))
  const text = table(`From publication to the last of ${slurm.nodes.length} hosts, milliseconds, ${rounds} rounds`, [
    ['dask-hpc-runner, default poll interval', last(ours)],
    ['a loop that asks for the name each 0.2 s', last(byName)],
  ])
  process.stdout.write(text)
  await note('gates-cached-mounts', { text, ours, byName })
  expect(medianOf(last(ours))).toBeLessThan(limit)
})
