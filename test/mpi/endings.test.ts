import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Cluster, program, programs } from '../support/cluster.ts'
import { childOf } from '../support/child-of.ts'
import { asRoot, helperOfRank, launchers, mpich, mpiTest, openMpi, processOfRank, startRanks } from '../support/mpi.ts'

/** Keeps the scheduler from being there. */
const slow = ['--preload', join(programs, 'slow_scheduler.py')]
/** Keeps rank 0 from saying where it is. */
const unsaid = {
  NODE_OPTIONS: `--require=${join(programs, 'hold-broadcast.cjs')}`,
  HOLD_BROADCAST: join(programs, 'is-not-there'),
}
const end = (how: string): string[] => ['--', 'python3', join(programs, 'end.py'), how]
const hang = ['--', 'python3', join(programs, 'hang.py')]
/** Within so long everybody has to have ended after a failure, in milliseconds. */
const bound = 20_000

/** Milliseconds from now until `promise` resolves. */
async function time(promise: Promise<unknown>): Promise<number> {
  const began = performance.now()
  await promise
  return performance.now() - began
}

for (const launcher of launchers) {
  const { name } = launcher

  for (const [how, status] of [
    ['3', 3],
    ['SIGKILL', 137],
  ] as const) {
    mpiTest(`${name} exits with ${status} where the program ends with ${how}`, async () => {
      await using cluster = await Cluster.make()
      const run = startRanks(cluster, launcher, 3, ['run', ...end(how)])
      await run.expectStatus(status)
      // The client's process exits last, so the others have ended in order.
      expect(run.output).not.toMatch(/Traceback|Lost rank/)
      await cluster.expectNothingLeft()
    })
  }

  mpiTest(`${name}: a scheduler that cannot start ends everybody, and the cause is told once`, async () => {
    await using cluster = await Cluster.make()
    const run = startRanks(cluster, launcher, 3, ['run', '--preload', 'import no_such_module', ...end('0')])
    expect(await time(run.expectStatus(69))).toBeLessThan(bound)
    // The launcher cuts the rest short as soon as one of them has ended.
    expect(run.errors()).toEqual([
      expect.stringMatching(/^\[0 scheduler\] error: Cannot start scheduler.*no_such_module/),
    ])
    await cluster.expectNothingLeft()
  })

  for (const [rank, what] of [
    [0, "the scheduler's"],
    [1, "the client's"],
  ] as const) {
    mpiTest(`${name}: where ${what} process is killed, all processes end`, async () => {
      await using cluster = await Cluster.make()
      const run = startRanks(cluster, launcher, 3, ['run', ...hang])
      await run.expectOutput('ready')
      process.kill(await processOfRank(cluster, rank), 'SIGKILL')
      expect(await time(run.ended)).toBeLessThan(bound)
      expect((await run.ended).status, run.output).not.toBe(0)
      await cluster.expectNothingLeft()
    })
  }

  mpiTest(`${name}: a rank that is killed before the broadcast ends everybody`, async () => {
    await using cluster = await Cluster.make()
    const run = startRanks(cluster, launcher, 3, ['run', '--verbose', ...end('0')], unsaid)
    await run.expectOutput('all 3 processes have come')
    process.kill(await processOfRank(cluster, 2), 'SIGKILL')
    expect(await time(run.ended)).toBeLessThan(bound)
    expect((await run.ended).status, run.output).not.toBe(0)
    await cluster.expectNothingLeft()
  })

  mpiTest(`${name}: a rank whose MPI ends under it before the broadcast ends everybody`, async () => {
    await using cluster = await Cluster.make()
    const run = startRanks(cluster, launcher, 3, ['run', '--verbose', ...end('0')], unsaid)
    await run.expectOutput('all 3 processes have come')
    process.kill(await helperOfRank(cluster, 2), 'SIGKILL')
    expect(await time(run.ended)).toBeLessThan(bound)
    expect((await run.ended).status, run.output).not.toBe(0)
    expect(run.stderr).toContain('Cannot use MPI: the process that calls the library was killed by SIGKILL')
    await cluster.expectNothingLeft()
  })

  mpiTest(`${name}: ranks that cannot be told of a failure are ended by MPI_Abort`, async () => {
    await using cluster = await Cluster.make()
    const run = startRanks(
      cluster,
      launcher,
      3,
      ['run', '--verbose', '--dask-log-level', 'info', ...slow, ...end('0')],
      unsaid,
    )
    await run.expectOutput('all 3 processes have come')
    // A Python that ends before it has become the scheduler is started again.
    await run.expectOutput('Run preload setup')
    // It takes part in no broadcast any more, and nobody is told of it.
    process.kill(await helperOfRank(cluster, 2), 'SIGSTOP')
    process.kill(await childOf(cluster, await processOfRank(cluster, 0), 'python'), 'SIGKILL')
    expect(await time(run.ended)).toBeLessThan(bound)
    expect((await run.ended).status, run.output).toBe(69)
    expect(run.stderr).toMatch(/\[0 scheduler\] warn: the other processes cannot be told, and are ended by MPI_Abort$/m)
    // The library says so itself, through the launcher; MPICH says it where nobody listens, and ends at once.
    // Open MPI's launcher now and then cannot read what the library says, which it says too.
    if (launcher === openMpi) expect(run.stderr).toMatch(/MPI_ABORT was invoked on rank 0|show_help/)
    await cluster.expectNothingLeft()
  })

  mpiTest(`${name}: a library that crashes while it is opened is opened by another process`, async () => {
    await using cluster = await Cluster.make()
    const env = { NODE_OPTIONS: `--require=${join(programs, 'crash-once.cjs')}` }
    const run = startRanks(cluster, launcher, 3, ['run', ...end('0')], env)
    await run.expectStatus(0)
    // Else none has crashed.
    expect(existsSync(join(cluster.directory, 'tmp/crashed'))).toBe(true)
    cluster.expectTemporary('crashed')
    await cluster.expectNothingLeft()
  })

  mpiTest(`${name}: a rank that never comes is given up, although MPI_Init goes on waiting for it`, async () => {
    await using cluster = await Cluster.make()
    const script = '[ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 2 ] && exec sleep 600; exec "$@"'
    const command = launcher.command(3, 'sh', '-c', script, 'sh', process.execPath, program)
    const run = cluster.start([...command, 'run', '--rendezvous-timeout', '4s', ...end('0')], asRoot)
    await run.expectOutput('MPI_Init, which waits for the last of them')
    expect(run.stderr).toContain('after 4 s not all of the 3 processes had called MPI_Init')
    expect(await time(run.ended)).toBeLessThan(bound)
    expect((await run.ended).status, run.output).not.toBe(0)
    await cluster.expectNothingLeft()
  })

  mpiTest(`${name}: TERM to the launcher ends a program that hangs`, async () => {
    await using cluster = await Cluster.make()
    const run = startRanks(cluster, launcher, 3, ['run', ...hang])
    await run.expectOutput('ready')
    run.signal('SIGTERM')
    expect(await time(run.ended)).toBeLessThan(bound)
    expect(run.stderr).toContain('[1 client] SIGTERM: the client program has 15 s to end')
    // Hydra makes one of the ranks' statuses its own then, 0 or 143; it does so with any program.
    if (launcher !== mpich) expect((await run.ended).status, run.output).not.toBe(0)
    await cluster.expectNothingLeft()
  })
}

mpiTest(
  `${mpich.name}: an exception in a rank before the broadcast ends all by MPI_Abort, with 70 and what it was`,
  async () => {
    await using cluster = await Cluster.make()
    const [module, order] = [join(cluster.directory, 'defect.cjs'), join(cluster.directory, 'break')]
    const look = `setInterval(() => { if (require('node:fs').existsSync('${order}')) throw new Error('unforeseen') }, 50).unref()`
    await writeFile(module, `if (process.argv[2] === 'run' && process.env.PMI_RANK === '2') ${look}`)
    const env = { ...unsaid, NODE_OPTIONS: `${unsaid.NODE_OPTIONS} --require=${module}` }
    const run = startRanks(cluster, mpich, 3, ['run', '--verbose', ...end('0')], env)
    await run.expectOutput('all 3 processes have come')
    await writeFile(order, '')
    expect(await time(run.expectStatus(70))).toBeLessThan(bound)
    expect(run.stderr).toContain('dask-hpc-runner: error: error of dask-hpc-runner (70): unforeseen')
    expect(run.stderr).toMatch(
      /\[2 worker\] error: Rank 2 \(worker\) on \S+ ended: error of dask-hpc-runner: unforeseen\n/,
    )
    expect(run.stderr).toMatch(/\[2 worker\] warn: the other processes cannot be told, and are ended by MPI_Abort\n/)
    expect(run.output).not.toMatch(/^\s+at .*\(/m)
    await cluster.expectNothingLeft()
  },
)
