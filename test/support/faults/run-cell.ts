import { copyFile, mkdir, readFile, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../until.ts'
import type { Cell } from './cell.ts'
import { FaultRun, type RunPlace, formatProcesses } from './fault-run.ts'
import { type CellResult, judge } from './judge.ts'
import { launch, schedulerFile } from './launch.ts'
import { filesLeft } from './leftovers.ts'
import { lastResortOf, type Limits, secondsOf } from './limits.ts'
import { bringTo } from './moments.ts'
import type { Turns } from './pool.ts'
import type { RunProcess } from './process-table.ts'
import { Slowness } from './slowness.ts'
import type { Step } from './step.ts'
import { strike, type Struck } from './strikes.ts'
import { watch } from './watch.ts'

/** Where and how a cell runs. */
export interface CellPlace extends RunPlace {
  readonly limits: Limits
  /** Starting is work, and waiting is none: so many runs start at a time. */
  readonly starting: Turns
  /** How long a run that should have ended is watched before it counts as hanging, at least. In seconds. */
  readonly giveUp: number
  /** Whether bounds are longer where the machine is slow, or busy with something else. @default false */
  readonly toleratesSlowness?: boolean
}

/** What holds a run at a moment, besides `go`, which holds the client program. */
const holds = ['go-import', 'go-scheduler', 'go-3', 'go-end', 'go-grace']

/** Runs one cell from its start to the last trace of it. */
export async function runCell(cell: Cell, place: CellPlace): Promise<CellResult> {
  const { limits, giveUp, toleratesSlowness = false } = place
  await using run = await FaultRun.make(place)
  const problems: string[] = []
  let since = performance.now()
  const step = await place.starting.take(async () => {
    const started = await launch(run, { launch: cell.launch, moment: cell.moment, limits })
    if (cell.moment === 'at the start') since = performance.now()
    else await bringTo(cell.moment, run, started, cell.launch?.tasks ?? 4)
    return started
  })
  using slowness = toleratesSlowness ? new Slowness() : undefined
  const struck = await strike(cell.strike, run, limits)
  if (cell.moment !== 'at the start') since = performance.now()
  try {
    if (cell.strike.kind !== 'release') await run.release(...holds)
    if (cell.strike.kind === 'new run') problems.push(...(await takePath(run, step)))
    await struck.over
    if (cell.notices !== undefined || cell.survives === true) {
      problems.push(...(await seeItSurvive(cell, { run, step, limits, since })))
      if (step.status === undefined) since = performance.now()
      await run.release('go')
    }
    const bound = secondsOf(cell.bound, limits)
    const patience = Math.max(giveUp, bound + (cell.lastResort === true ? lastResortOf(limits) : 0) + 15)
    const end = await watch(run, step, { struck, since, patience, slowness })
    await struck.mend()
    if (struck.silent !== undefined) problems.push(...(await seeItCleared(run, struck)))
    // Slurm kills the whole step of a frozen host when that goes on, its reaper too.
    const killed = cell.strike.kind === 'freeze host' ? ['dask-hpc-runner-*'] : []
    const left = await filesLeft(
      run,
      [...(cell.leaves ?? []), ...killed],
      struck.lost === true ? struck.silent : undefined,
    )
    return judge(cell, limits, { step, end, problems, filesLeft: left, slowness: slowness?.factor ?? 1 })
  } finally {
    await struck.mend()
  }
}

/** What stood still goes on, and finds that its run is over. */
async function seeItCleared(run: FaultRun, { silent }: Struck): Promise<string[]> {
  const here = (): RunProcess[] => run.processes().filter(({ host }) => host === silent)
  try {
    await until(here, (left) => left.length === 0, { what: 'it ends', say: formatProcesses, patience: 20_000 })
    return []
  } catch {
    return [`left on ${silent ?? ''} when it goes on: ${formatProcesses(here())}`]
  }
}

/** A run that is to survive: it says what it has noticed, and does not end before it is let go. */
async function seeItSurvive(
  cell: Cell,
  { run, step, limits, since }: { run: FaultRun; step: Step; limits: Limits; since: number },
): Promise<string[]> {
  const problems: string[] = []
  const { notices, watched = 0 } = cell
  if (notices !== undefined) {
    const patience = secondsOf('silence', limits) * 1000
    await until(
      () => notices.test(step.output) || step.status !== undefined,
      (done) => done,
      { what: '', say: () => '', patience },
    ).catch(() => undefined)
    if (!notices.test(step.output)) problems.push(`notices nothing: ${String(notices)}`)
  }
  const end = since + watched * limits.lostAfter * 1000
  while (performance.now() < end && step.status === undefined) await sleep(150)
  if (step.status !== undefined && !run.has('go')) problems.push('does not survive')
  return problems
}

/** Another run takes the path of one that lives, whose files somebody has removed; that one then ends. */
async function takePath(run: FaultRun, step: Step): Promise<string[]> {
  const files = run.files().filter((name) => name.startsWith(schedulerFile) || name.startsWith(`.${schedulerFile}`))
  for (const name of files) await rm(run.path(name), { recursive: true })
  await mkdir(run.path('second'))
  await copyFile(run.path('client.py'), run.path('second/client.py'))
  const command = `cd second && exec dask-hpc-runner run --scheduler-file ../${schedulerFile} -- python client.py`
  const second = run.start(4, ['sh', '-c', command])
  await second.expectOutput(/^1: ready$/m)
  const before = await readFile(run.path(schedulerFile), 'utf8')
  await run.release('go')
  await step.ended
  const after = await readFile(run.path(schedulerFile), 'utf8').catch(() => '')
  await run.release('second/go')
  const status = await second.ended
  return [
    ...(after === before ? [] : ["the new run's file was touched"]),
    ...(status === 0 ? [] : [`the new run ended with ${status}`]),
  ]
}
