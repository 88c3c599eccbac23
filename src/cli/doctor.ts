import { doctor } from '../commands/doctor/doctor.ts'
import { doctorOrdersSchema, examine } from '../commands/doctor/examine.ts'
import type { RunnerOptions } from '../options.ts'
import type { ownTables } from '../options/command-table.ts'
import type { Completed } from '../options/row.ts'
import { ownProgram } from '../util/own-program.ts'
import { print } from './print.ts'
import { readOrders } from './read-orders.ts'
import { type Finding, type Level, levels } from '../commands/doctor/finding.ts'

/** Nobody waits longer, and Node's timers hold only some weeks. In milliseconds. */
const longest = 86_400_000

/** Examines, prints the report and ends the process with its status. */
export async function runDoctor(
  options: RunnerOptions,
  { json, runner, timeout }: Completed<typeof ownTables.doctor>,
): Promise<never> {
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

/** The report for people; no newline at the end. */
export function formatReport(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ subject }) => subject.length))
  const lines = findings.flatMap(({ level, subject, finding, advice }) => {
    const start = `${level.padEnd(levelWidth)}  ${subject.padEnd(width)}  `
    return [`${start}${finding}`, ...(advice === undefined ? [] : [`${' '.repeat(start.length)}-> ${advice}`])]
  })
  return [...lines, '', summary(findings)].join('\n')
}

const levelWidth = Math.max(...levels.map((level) => level.length))

function summary(findings: readonly Finding[]): string {
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length
  const [problems, warnings] = [count('problem'), count('warning')]
  if (problems + warnings === 0) return 'Nothing was found that would go wrong.'
  const say = (n: number, word: string): string[] => (n === 0 ? [] : [`${n} ${word}${n === 1 ? '' : 's'}`])
  return [...say(problems, 'problem'), ...say(warnings, 'warning')].join(', ')
}
