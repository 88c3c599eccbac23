// Reads files for a command, which could not end while it waits for a filesystem that hangs. A path in
// JSON on each line of standard input -> {path, contents} on a line of standard output.
import { createInterface } from 'node:readline'
import { readPath } from './read-path.ts'

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

async function answer(path: string): Promise<void> {
  clearTimeout(timer)
  underWay++
  const contents = await readPath(path)
  process.stdout.write(`${JSON.stringify({ path, contents })}\n`)
  underWay--
  if (underWay === 0) rest()
}

process.stdout.on('error', leave)
createInterface({ input: process.stdin })
  .on('line', (line) => void answer(JSON.parse(line) as string))
  .on('close', leave)
rest()
