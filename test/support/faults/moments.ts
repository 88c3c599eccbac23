import { controllerName } from '../slurm/slurm-cluster.ts'
import { until } from '../until.ts'
import type { Moment } from './cell.ts'
import { type FaultRun, formatProcesses } from './fault-run.ts'
import { schedulerFile } from './launch.ts'
import type { Step } from './step.ts'

/** How long a start may take on a busy machine. In milliseconds. */
const slowly = 180_000

/** Brings a started run to a moment, by what can be seen of it. */
export async function bringTo(moment: Moment, run: FaultRun, step: Step, tasks: number): Promise<void> {
  switch (moment) {
    case 'at the start':
      return
    case 'before publication':
      await seen(run, step, 'the scheduler is held and all others have joined', () => {
        return run.has('held-scheduler') && !run.has(schedulerFile) && ranksThatWait(step) === tasks - 1
      })
      return
    case 'while gating':
      await step.expectOutput(/^1: ready$/m, slowly)
      if (!run.has(schedulerFile)) throw new Error('The client program computes before anything is published')
      return
    case 'while running':
      await step.expectOutput(/^\d: ready$/m, slowly)
      await seen(run, step, 'all have joined', () => step.output.match(/joined the run of/g)?.length === tasks - 1)
      return
    case 'while ending':
      await step.expectOutput(/^1: ready$/m, slowly)
      await run.release('go')
      await seen(run, step, 'a worker is closing', () => run.has('ending-2'))
      return
    case 'in its grace': {
      await step.expectOutput(/^1: ready$/m, slowly)
      await run.slurm.on(controllerName, ['scancel', '--signal=TERM', (await run.jobId()) ?? ''])
      await step.expectOutput(/^1: asked to end$/m)
      return
    }
  }
}

/** How many processes have said that they have joined, and wait for the scheduler. */
function ranksThatWait(step: Step): number {
  const lines = step.output.matchAll(/\[(\d+) [^\]]*\] .*waiting for process 0 to start the scheduler/g)
  return new Set([...lines].map(([, rank]) => rank)).size
}

async function seen(run: FaultRun, step: Step, what: string, look: () => boolean): Promise<void> {
  await until(
    () => look() || step.status !== undefined,
    (done) => done,
    { what, say: () => `${formatProcesses(run.processes())}\n${run.files().join(' ')}\n${step.output.slice(-3000)}` },
  )
  if (step.status !== undefined)
    throw new Error(`The run ended with ${step.status} before ${what}:\n${step.output.slice(-3000)}`)
}
