// Reads files for a command, which could not end while it waits for a filesystem that hangs. A question in
// JSON on each line of standard input -> {asked, answer} on a line of standard output, where `asked` is that line.
import { createInterface } from 'node:readline'
import { type Contents, type Question, readPath } from './read-path.ts'
import { readOutcomeOf, readStartingRun } from './read-starting-run.ts'

/** Nobody has asked for so long: it is started again where it is needed. In milliseconds. */
const idle = 10_000

let underWay = 0
let timer: NodeJS.Timeout | undefined

/** An ordinary exit would wait for what hangs. */
function leave(): void {
  process.kill(process.pid, 'SIGKILL')
}

function rest(): void {
  timer = setTimeout(leave, idle)
}

async function find({ what, path, runKey = '' }: Question): Promise<Contents> {
  if (what === 'file') return await readPath(path)
  return what === 'outcome' ? await readOutcomeOf(path, runKey) : await readStartingRun(path)
}

async function answer(asked: string): Promise<void> {
  clearTimeout(timer)
  underWay++
  const answer = await find(JSON.parse(asked) as Question)
  process.stdout.write(`${JSON.stringify({ asked, answer })}\n`)
  underWay--
  if (underWay === 0) rest()
}

process.stdout.on('error', leave)
createInterface({ input: process.stdin })
  .on('line', (line) => void answer(line))
  .on('close', leave)
rest()
