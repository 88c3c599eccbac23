import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { alarmIn } from '../alarm.ts'
import { clientKilled, schedulerKilled } from '../faults/sentences.ts'
import type { Step } from '../faults/step.ts'
import { root } from '../slurm/directory.ts'
import { until } from '../until.ts'
import type { Bed } from './bed.ts'
import type { LauncherName } from './cell.ts'
import { compileExample, pythonExample, typescriptExample } from './examples.ts'

/** What is done to a cell. */
export interface MatrixStep {
  readonly name: string
  /** @throws Error with what does not hold. */
  readonly run: (bed: Bed, options: StepOptions) => Promise<void>
}

export interface StepOptions {
  readonly launcher: LauncherName
  readonly clean: number
}

/** Within so long a run that has lost a part has to end. In milliseconds, on a machine that is busy. */
const bound = 25_000

/** The same for each cell, in this order. */
export const steps: readonly MatrixStep[] = [
  {
    name: 'clean runs',
    run: async (bed, { clean }) => {
      const { text, prints } = await pythonExample()
      for (let n = 0; n < clean; n++) {
        await bed.write('example.py', text)
        const run = bed.run('--', 'python3', 'example.py')
        await expectEnd(run, { status: 0, prints })
        expectNoAlarm(run)
        await bed.expectNothingLeft(['example.py'])
      }
    },
  },
  {
    name: 'exit 3',
    run: async (bed) => {
      const run = bed.run('--', 'python3', '-c', 'raise SystemExit(3)')
      await expectEnd(run, { status: 3 })
      await bed.expectNothingLeft([])
    },
  },
  {
    name: 'killed scheduler',
    run: async (bed) => {
      const run = await startHolding(bed)
      process.kill(await bed.find(/dask-hpc-runner scheduler/), 'SIGKILL')
      await expectEnd(run, { status: 69, says: schedulerKilled, patience: bound })
      await bed.expectNothingLeft(holding)
    },
  },
  {
    name: 'killed program',
    run: async (bed) => {
      const run = await startHolding(bed)
      process.kill(await bed.find(/^\S*python\S* client\.py/), 'SIGKILL')
      await expectEnd(run, { status: 137, says: clientKilled, patience: bound })
      await bed.expectNothingLeft(holding)
    },
  },
  {
    name: 'killed worker',
    run: async (bed) => {
      const run = await startHolding(bed)
      process.kill(await bed.find(/dask-hpc-runner worker/), 'SIGKILL')
      await run.expectOutput(/worker \d\b.*\bSIGKILL.*again/i)
      await bed.write('go', '')
      // Another one has been started.
      await expectEnd(run, { status: 0, prints: ['workers 2', 'result 21'] })
      await bed.expectNothingLeft(holding)
    },
  },
  {
    name: 'wait, status, stop',
    run: async (bed) => {
      const { text, prints } = await pythonExample()
      await bed.write('example.py', text)
      const file = ['--scheduler-file', 'cluster.json']
      const run = bed.run('--no-client', ...file)
      const wait = bed.command('wait', ...file, '--workers', 'all', '--', 'python3', 'example.py')
      await expectEnd(wait, { status: 0, prints })
      await expectEnd(bed.command('status', ...file), { status: 0, says: /3 workers|workers.*\b3\b/i })
      await expectEnd(bed.command('stop', ...file), { status: 0, says: /stopped/i })
      await expectEnd(run, { status: 0 })
      await bed.expectNothingLeft(['example.py'])
    },
  },
  {
    name: 'TypeScript',
    run: async (bed, { launcher }) => {
      const { text, prints } = await typescriptExample(launcher)
      await bed.write('example.mjs', await compileExample(text))
      const run = bed.library('example.mjs')
      await expectEnd(run, { status: 0, prints })
      expectNoAlarm(run)
      await bed.expectNothingLeft(['example.mjs'])
    },
  },
]

/** What {@link startHolding} leaves. */
const holding = ['client.py', 'connecting', 'go']

/** Starts a run whose program has two workers, and holds until there is a file `go`. */
async function startHolding(bed: Bed): Promise<Step> {
  await bed.write('client.py', await readFile(join(root, 'fixtures/faults/client.py'), 'utf8'))
  const run = bed.run('--', 'python3', 'client.py', '--workers', '2', '--after', '2')
  await run.expectOutput(/^ready$/m)
  return run
}

interface ExpectedEnd {
  readonly status: number
  /** Lines. */
  readonly prints?: readonly string[]
  readonly says?: RegExp
  /** In milliseconds. */
  readonly patience?: number
}

/** Waits for an end, and checks it. */
async function expectEnd(step: Step, { status, prints = [], says, patience = 120_000 }: ExpectedEnd): Promise<void> {
  await until(
    () => step.status,
    (seen) => seen !== undefined,
    { what: 'it ends', say: () => step.output.slice(-3000), patience },
  )
  const all = step.output
  if (step.status !== status) throw new Error(`ended with ${String(step.status)} and not with ${status}:\n${all}`)
  const lines = all.split('\n')
  for (const line of prints) if (!lines.includes(line)) throw new Error(`did not print "${line}":\n${all}`)
  if (says !== undefined && !says.test(all)) throw new Error(`did not say ${String(says)}:\n${all}`)
}

function expectNoAlarm({ output }: Step): void {
  // What Slurm itself has to say of its end does not count.
  const alarmed = alarmIn(output.replaceAll(/^(srun: |slurmstepd-).*$/gm, ''))
  if (alarmed !== undefined) throw new Error(`said ${alarmed}\n${output}`)
}
