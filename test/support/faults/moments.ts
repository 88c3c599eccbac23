import { controllerName } from '../slurm/slurm-cluster.ts'
import { readFile } from 'node:fs/promises'
import type { ClusterRecord } from '../../../src/record/cluster-record.ts'
import { connectionsTo } from '../connections.ts'
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
    case 'before it listens':
      await seen(run, step, 'the import of Dask is held and the client program runs', () => {
        return run.has('held-import') && run.has('connecting') && !run.has(schedulerFile)
      })
      return
    case 'before publication':
      await seen(run, step, 'the scheduler is held and all others have joined', async () => {
        return run.has('held-scheduler') && !run.has(schedulerFile) && (await joined(run)) >= tasks - 1
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

/** How many connections there are to where rank 0 listens. */
async function joined(run: FaultRun): Promise<number> {
  const [directory] = run.files().filter((name) => name.startsWith(`.${schedulerFile}.run-`))
  const text = await readFile(run.path(`${directory ?? ''}/coordinator.json`), 'utf8').catch(() => '')
  const zero = run.processes().find(({ host, command }) => host === run.hosts[0] && command.includes('dask-hpc-runner'))
  if (text === '' || zero === undefined) return 0
  return await connectionsTo((JSON.parse(text) as ClusterRecord).control.port, zero.pid)
}

async function seen(run: FaultRun, step: Step, what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  await until(
    async () => (await look()) || step.status !== undefined,
    (done) => done,
    { what, say: () => `${formatProcesses(run.processes())}\n${run.files().join(' ')}\n${step.output.slice(-3000)}` },
  )
  if (step.status !== undefined)
    throw new Error(`The run ended with ${step.status} before ${what}:\n${step.output.slice(-3000)}`)
}
