import { writeFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { Cluster, python, type Started } from '../support/cluster.ts'
import { compile } from '../support/library-program.ts'
import { fourTasks } from '../support/step.ts'

it.each([
  ['an exception', "throw new Error('unforeseen')"],
  ['a rejection', "void Promise.reject(new Error('unforeseen'))"],
])('%s that nobody has foreseen ends the program with 70, a sentence and nothing left', async (_, defect) => {
  await using cluster = await Cluster.make()
  const module = `${cluster.directory}/defect.cjs`
  const isThere = `require('node:fs').readdirSync('.').some((name) => /^scheduler-.*json$/.test(name))`
  const look = `const timer = setInterval(() => { if (${isThere}) { clearInterval(timer); ${defect} } }, 50)`
  await writeFile(module, `if (process.argv[2] === 'local') { ${look} }`)
  const args = ['local', '-n', '2', '--python', python, '--', 'sleep', '300']
  const started = cluster.run(args, { NODE_OPTIONS: `--require=${module}` })
  await started.expectStatus(70)
  expect(started.stderr).toContain('dask-hpc-runner: error: error of dask-hpc-runner (70): unforeseen')
  expect(started.output).not.toMatch(/^\s+at .*\(/m)
  await cluster.expectNothingLeft()
})

it('an exception in a worker process is told to rank 0, and one in rank 0 to all', async () => {
  await using step = await Step.make()
  const runs = [0, 1, 2, 3].map((rank) => step.start(rank))
  await runs[1]?.expectOutput('the program runs')
  await runs[3]?.expectOutput('joined the run')
  await step.break(3)
  await runs[3]?.expectStatus(70)
  await runs[0]?.expectOutput(
    /warn: Rank 3 \(worker\) on node3 ended: error of dask-hpc-runner: unforeseen; the run goes on/,
  )
  await step.break(0)
  for (const rank of [0, 1, 2]) await runs[rank]?.expectStatus(70)
  expect(runs[0]?.stderr).not.toContain('without a word')
  const why = 'error: Rank 0 (scheduler) on node0 ended: error of dask-hpc-runner: unforeseen'
  expect([0, 1, 2].map((rank) => runs[rank]?.stderr.includes(why))).toEqual([true, false, false])
  await step.cluster.expectNothingLeft()
})

it('an exception in rank 0 is told to those that have not come yet', async () => {
  await using step = await Step.make()
  const first = step.start(0)
  await first.expectOutput('cluster at')
  await step.break(0)
  await first.expectStatus(70)
  const late = step.start(2)
  await late.expectStatus(70)
  // It has been told.
  const why = 'Rank 0 (scheduler) on node0 ended: error of dask-hpc-runner: unforeseen'
  expect([first, late].map(({ stderr }) => stderr.includes(why))).toEqual([true, false])
  step.cluster.expectFile('.scheduler-*')
  await step.cluster.expectNothingLeft()
})

it('an exception in a process that has not joined yet is told once, and ends the run of a rank 0 that comes later', async () => {
  await using step = await Step.make()
  const client = step.start(1)
  await step.break(1)
  await client.expectStatus(70)
  const first = step.start(0)
  await first.expectStatus(70)
  const why = 'error of dask-hpc-runner (70): unforeseen'
  expect([client, first].map(({ stderr }) => stderr.includes(why))).toEqual([true, false])
  step.cluster.expectFile('.scheduler-*')
  await step.cluster.expectNothingLeft()
})

/** For a program that uses the library: once there is a file of that name, the clock fails until that has ended the process, or the program itself throws. */
const breaking = (directory: string): string => `const { existsSync } = require('node:fs')
const rank = process.env.SLURM_PROCID ?? 'local'
const { hrtime } = process
let hasFailed = false
process.on('uncaughtExceptionMonitor', () => (process.hrtime = hrtime))
setInterval(() => {
  if (!hasFailed && existsSync('${directory}/clock-' + rank)) process.hrtime = () => void (hasFailed = true)
  if (existsSync('${directory}/throw-' + rank)) throw new Error('mine')
}, 100).unref()`

it('a defect of the library ends a program that uses it with 70 and a sentence, and is told to the run', async () => {
  await using cluster = await Cluster.make()
  const module = `${cluster.directory}/breaking.cjs`
  await writeFile(module, breaking(cluster.directory))
  const program = [process.execPath, `--require=${module}`, await compile(cluster, 'library'), 'forever', '4'] as const
  const env = { DASK_HPC_RUNNER_LOST_AFTER: '4s' }
  const local = cluster.start(program, env)
  const tasks = fourTasks().map((task) => cluster.start(program, { ...task, ...env }))
  await Promise.all([local, tasks[1]].map(async (each) => each?.expectOutput('body')))
  await writeFile(`${cluster.directory}/clock-local`, '')
  await writeFile(`${cluster.directory}/clock-3`, '')
  for (const each of [local, tasks[3]]) {
    await each?.expectStatus(70)
    expect(each?.stderr).toMatch(/^dask-hpc-runner: error: error of dask-hpc-runner \(70\): undefined is not /m)
    expect(each?.output).not.toMatch(/^\s+at .*\(/m)
  }
  await tasks[0]?.expectOutput(
    /warn: Rank 3 \(worker\) on node3 ended: error of dask-hpc-runner: undefined is not .*; the run goes on/,
  )
  // What the program itself throws ends it as ever.
  await writeFile(`${cluster.directory}/throw-1`, '')
  await tasks[1]?.expectStatus(1)
  expect(tasks[1]?.stderr).toMatch(/Error: mine\n +at /)
  expect(tasks[1]?.stderr).not.toContain('error of dask-hpc-runner')
  for (const rank of [0, 2]) await tasks[rank]?.expectStatus(0)
  await cluster.expectNothingLeft()
})

it('a process that waits for what nothing brings ends with 70, and not as if all were well', async () => {
  await using cluster = await Cluster.make()
  const started = cluster.start([process.execPath, await compile(cluster, 'dry-runner')])
  await started.expectStatus(70)
  expect(started.stderr).toContain('error of dask-hpc-runner (70): nothing is left to wait for')
  await cluster.expectNothingLeft()
})

it('a command that waits for what nothing brings ends with 70 too', async () => {
  await using cluster = await Cluster.make()
  const module = `${cluster.directory}/no-word.cjs`
  await writeFile(module, 'process.stdout.write = () => true')
  const started = cluster.run(['plan', '-n', '4'], { NODE_OPTIONS: `--require ${module}` })
  await started.expectStatus(70)
  expect(started.stderr).toContain('error of dask-hpc-runner (70): nothing is left to wait for')
})

/** Four tasks of a simulated step, each of which throws when it is told to, in code of its own. */
class Step implements AsyncDisposable {
  readonly cluster: Cluster
  readonly #module: string

  private constructor(cluster: Cluster) {
    this.cluster = cluster
    this.#module = `${cluster.directory}/defect.cjs`
  }

  static async make(): Promise<Step> {
    const step = new Step(await Cluster.make())
    const isBroken = `require('node:fs').existsSync('${step.cluster.directory}/break-' + process.env.SLURM_PROCID)`
    const look = `setInterval(() => { if (${isBroken}) throw new Error('unforeseen') }, 100).unref()`
    await writeFile(step.#module, `if (process.argv[2] === 'run') ${look}`)
    return step
  }

  start(rank: number): Started {
    const program = ['--', '/bin/sh', '-c', 'echo the program runs; exec sleep 300']
    const env = { ...fourTasks()[rank], NODE_OPTIONS: `--require=${this.#module}` }
    return this.cluster.run(['run', '--verbose', '--python', python, '--no-scancel', '--grace', '4s', ...program], env)
  }

  async break(rank: number): Promise<void> {
    await writeFile(`${this.cluster.directory}/break-${rank}`, '')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]()
  }
}
