import { doctor } from '../commands/doctor/doctor.ts'
import { type DoctorOrders, doctorOrdersSchema, examine } from '../commands/doctor/examine.ts'
import { formatReport } from '../commands/doctor/report.ts'
import type { RunnerOptions } from '../options.ts'
import { ownProgram } from '../util/own-program.ts'
import { print } from './print.ts'
import { readOrders } from './read-orders.ts'

/** The flags of `doctor` beside those of a run. */
export interface DoctorFlags {
  readonly json: boolean
  readonly runner: DoctorOrders['runner']
  /** In milliseconds. */
  readonly timeout: number
}

/** Nobody waits longer, and Node's timers hold only some weeks. In milliseconds. */
const longest = 86_400_000

/** Examines, prints the report and ends the process with its status. */
export async function runDoctor(options: RunnerOptions, { json, runner, timeout }: DoctorFlags): Promise<never> {
  const examiner = [process.execPath, ownProgram(), 'examine'] as const
  const { findings, silent, status } = await doctor({ options, runner, timeout: Math.min(timeout, longest), examiner })
  if (!silent) await print(json ? `${JSON.stringify(findings, undefined, 2)}\n` : `${formatReport(findings)}\n`)
  process.exit(status)
}

/** The process in which `doctor` examines: takes its orders from standard input, and ends with it. */
export async function runExaminer(): Promise<never> {
  const ending = new AbortController()
  const orders = await readOrders(doctorOrdersSchema)
  process.stdin.once('end', () => {
    ending.abort(new Error('The doctor has gone'))
  })
  process.stdin.resume()
  const { signal } = ending
  await examine(orders, { tell: (message) => process.stdout.write(`${JSON.stringify(message)}\n`), signal })
  process.exit(0)
}
