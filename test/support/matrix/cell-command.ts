import { writeFile } from 'node:fs/promises'
import { wordsOf } from '../faults/pool.ts'
import { Bed } from './bed.ts'
import { Missing, type Order, type Report, type StepResult } from './cell.ts'
import { openMachine, openSlurm, type Place } from './place.ts'
import { steps } from './steps.ts'
import { askVersions } from './versions.ts'

/** Runs the steps of one cell and writes a report. The process is in mount and PID namespaces of its own. */
export async function main(order: string): Promise<number> {
  const { report, ...options } = JSON.parse(order) as Order
  await writeFile(report, JSON.stringify(await runCell(options)))
  return 0
}

async function runCell(order: Omit<Order, 'report'>): Promise<Report> {
  try {
    await using place = await openPlace(order)
    const bed = new Bed(place, order.launcher)
    const versions = await askVersions(bed, order)
    const results: StepResult[] = []
    for (const step of steps) {
      const began = performance.now()
      const problem = await problemOf(async () => await step.run(bed, order))
      const result = { name: step.name, seconds: (performance.now() - began) / 1000 }
      results.push(problem === undefined ? result : { ...result, problem })
      process.stdout.write(`${step.name}: ${problem ?? 'holds'}\n`)
      await bed.clear()
    }
    return { steps: results, versions }
  } catch (error) {
    if (error instanceof Missing) return { steps: [], missing: error.message }
    throw error
  }
}

async function openPlace(order: Omit<Order, 'report'>): Promise<Place> {
  return order.launcher === 'slurm' ? await openSlurm(order) : await openMachine(order)
}

async function problemOf(what: () => Promise<void>): Promise<string | undefined> {
  try {
    await what()
    return undefined
  } catch (error) {
    return wordsOf(error)
  }
}
