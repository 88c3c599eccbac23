import { existsSync } from 'node:fs'
import { chmod, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { Cluster, programs, python } from '../support/cluster.ts'
import { goImport, heldPython } from '../support/held-python.ts'
import { launchers, mpich, mpiTest, startRanks } from '../support/mpi.ts'
import { canBeOthers, makeShared, shellAs, stranger } from '../support/second-user.ts'

/** Says the workers' names, and computes on worker `on`. */
const workers = (on: number): string[] => ['--', 'python3', join(programs, 'workers.py'), String(on)]

for (const launcher of launchers) {
  // Four of them: with a scheduler file, below.
  for (const [n, names] of [
    [1, '0'],
    [2, '0, 1'],
  ] as const) {
    mpiTest(`${launcher.name}, ${n} ranks: the client sees every worker, and nothing is left`, async () => {
      await using cluster = await Cluster.make()
      const run = startRanks(cluster, launcher, n, ['run', ...workers(n - 1)])
      await run.expectStatus(0)
      expect(run.stdout).toContain(`workers [${names}]\nresult 21 on ${n - 1}\n`)
      expect(run.stderr).toMatch(/\[0 [a-z+]+\] the processes meet by a broadcast over MPI: libmpi/)
      run.expectNoAlarm()
      await cluster.expectNothingLeft()
    })
  }

  mpiTest(`${launcher.name}: a scheduler file is written as well where one is asked for, and removed`, async () => {
    await using cluster = await Cluster.make()
    const names = ['python3', join(programs, 'names.py'), cluster.path('F.json'), '2']
    const run = startRanks(cluster, launcher, 4, ['run', '--scheduler-file', 'F.json', '--', ...names])
    await run.expectStatus(0)
    expect(run.stdout).toContain("workers ['2', '3']\nresult 21\n")
    await cluster.expectNothingLeft()
  })

  mpiTest(
    `${launcher.name}: the client begins while the scheduler imports, and has a scheduler file of its own`,
    async () => {
      await using cluster = await Cluster.make()
      // Without the program the import would not go on.
      const submit = `exec python3 '${join(programs, 'submit.py')}' "$DASK_HPC_RUNNER_SCHEDULER_FILE"`
      const script = `[ ! -e "$DASK_HPC_RUNNER_SCHEDULER_FILE" ] && touch '${goImport(cluster)}'; ${submit}`
      const held = ['--python', await heldPython(cluster, python), '--rendezvous-timeout', '60s']
      const run = startRanks(cluster, launcher, 3, ['run', ...held, '--', 'sh', '-c', script])
      await run.expectStatus(0)
      expect(run.stdout).toContain('result 21\n')
      await cluster.expectNothingLeft()
    },
  )

  mpiTest(`${launcher.name}: client and tasks may use MPI themselves, each alone in its world`, async () => {
    await using cluster = await Cluster.make()
    const run = startRanks(cluster, launcher, 3, ['run', '--', 'python3', join(programs, 'mpi.py')])
    await run.expectStatus(0)
    expect(run.stdout).toContain('worlds 1 [1]\n')
    // Open MPI leaves it to the system to remove the session directory of a process that was alone.
    cluster.expectTemporary('ompi.*')
    await cluster.expectNothingLeft()
  })

  mpiTest(`${launcher.name}: --layout shared and --no-client go by rank as elsewhere`, async () => {
    await using cluster = await Cluster.make()
    const shared = startRanks(cluster, launcher, 3, ['run', '--layout', 'shared', ...workers(0)])
    await shared.expectStatus(0)
    expect(shared.stdout).toContain('workers [0, 1, 2]\nresult 21 on 0\n')
    const plan = startRanks(cluster, launcher, 2, ['plan', '--no-client'])
    await plan.expectStatus(0)
    await cluster.expectNothingLeft()
  })
}

mpiTest(
  `${mpich.name}: the client's own scheduler file is in /tmp where somebody else may write TMPDIR`,
  async ({ skip }) => {
    skip(!canBeOthers, 'only root can run commands as other users')
    await using cluster = await Cluster.make()
    const shared = await makeShared(cluster.directory, 'shared', 'group')
    await chmod(cluster.directory, 0o755)
    await shellAs(stranger, 'mkdir "$1/mine"; mv "$1/mine" "$1/other"; rmdir "$1/other"', shared)
    const script =
      'F=$DASK_HPC_RUNNER_SCHEDULER_FILE; echo "$F"; until [ -s "$F" ]; do sleep 0.1; done; grep -c secret "$F"; ls -A "$TMPDIR"'
    const run = startRanks(cluster, mpich, 2, ['run', '--', 'sh', '-c', script], { TMPDIR: shared })
    await run.expectStatus(0)
    const [file = '', ...rest] = run.stdout.trim().split('\n')
    expect(file).toMatch(/^\/tmp\/dask-hpc-runner-\S+\/scheduler.json$/)
    expect(rest).toEqual(['1'])
    expect(existsSync(dirname(file))).toBe(false)
    expect(await readdir(shared)).toEqual([])
    await cluster.expectNothingLeft()
  },
)
