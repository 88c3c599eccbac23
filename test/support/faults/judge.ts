import { alarmIn } from '../alarm.ts'
import type { Cell } from './cell.ts'
import { lastResortOf, type Limits, secondsOf } from './limits.ts'
import type { Step } from './step.ts'
import type { End } from './watch.ts'

/** What a cell has shown. */
export interface CellResult {
  readonly cell: string
  /** What does not hold; empty where all does. */
  readonly problems: readonly string[]
  readonly bound: number
  readonly srunBound: number
  readonly end: End
  readonly status: number | undefined
  /** The sentence that was told, or the last error. */
  readonly sentence: string
  /** How many processes told it. */
  readonly told: number
  readonly output: string
}

/** What was seen of a cell. */
export interface Seen {
  readonly step: Step
  readonly end: End
  /** Whether the run was noticed to go on, where it should. */
  readonly problems: readonly string[]
  readonly filesLeft: readonly string[]
  /** How many times longer than its bound it may take, on this machine. @default 1 */
  readonly slowness?: number
}

/** Lines within which the end of a process's output is: the sentence may quote what a child printed last. */
const endLines = 40

/** Says what of a cell holds. */
export function judge(cell: Cell, limits: Limits, { step, end, problems, filesLeft, slowness = 1 }: Seen): CellResult {
  const bound = secondsOf(cell.bound, limits)
  const srunBound = bound + (cell.lastResort === true ? lastResortOf(limits) : 2)
  const found = [...problems]
  if (end.processes === undefined) found.push(`hangs: ${end.left.replaceAll('\n', ', ')}`)
  else if (end.processes > bound * slowness) found.push(`late: ${end.processes.toFixed(1)} s`)
  if (end.srun === undefined) found.push('srun hangs')
  else if (end.srun > srunBound * slowness) found.push(`srun late: ${end.srun.toFixed(1)} s`)
  if (end.processes !== undefined && end.all === undefined) found.push(`stopped processes stay: ${end.left}`)
  if (end.all !== undefined && end.all > srunBound * slowness)
    found.push(`stopped processes end late: ${end.all.toFixed(1)} s`)
  if (step.status !== undefined && !fits(cell.status, step.status)) found.push(`status ${step.status}`)
  const errors = errorsOf(step.output)
  const { says } = cell
  const told = says === undefined || says === 'whatever' ? [] : errors.filter((line) => says.test(line))
  if (says === undefined) {
    if (errors.length > 0) found.push(`tells an error: ${errors[0] ?? ''}`)
  } else if (says !== 'whatever') {
    const { teller = 0 } = cell
    const last = teller === 'any' ? told : errorsOf(step.linesOf(teller).slice(-endLines).join('\n'))
    if (told.length === 0) found.push('no sentence')
    else if (!last.some((line) => says.test(line))) found.push(`rank ${teller} does not tell it`)
    if (told.length > 1 && cell.toldAgain === undefined) found.push(`tells it ${told.length} times`)
    const others = errors.filter((line) => !says.test(line))
    if (others.length > 0) found.push(`also tells: ${others[0] ?? ''}`)
  }
  // Also if the end was decided before the fault.
  const twice = errors.find((line, i) => errors.indexOf(line) !== i)
  if (twice !== undefined && cell.toldAgain === undefined) found.push(`tells twice: ${twice}`)
  if (cell.prints !== undefined && !cell.prints.test(step.output)) found.push(`does not print ${String(cell.prints)}`)
  if (cell.clean === true) {
    const alarm = alarmIn(step.output)
    if (alarm !== undefined) found.push(`alarms: ${alarm}`)
  }
  if (filesLeft.length > 0) found.push(`left: ${filesLeft.join(' ')}`)
  const sentence = told.at(-1) ?? errors.at(-1) ?? ''
  return {
    cell: cell.name,
    problems: found,
    bound,
    srunBound,
    end,
    status: step.status,
    sentence,
    told: told.length,
    output: step.output,
  }
}

function fits(expected: Cell['status'], status: number): boolean {
  if (expected === 'any') return true
  return expected === 'failure' ? status !== 0 : expected.includes(status)
}

/** What the runner has told as an error, without the lines that it quotes. */
export function errorsOf(output: string): string[] {
  return output.split('\n').flatMap((line) => /\] error: (?!\| )(.*)$/.exec(line)?.[1] ?? [])
}
