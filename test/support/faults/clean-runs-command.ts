import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { alarmIn } from '../alarm.ts'
import { program, python } from '../slurm/directory.ts'
import { daskLeavings } from '../slurm/hosts.ts'
import { until } from '../until.ts'
import { several } from './pool.ts'

const usage = `npm run clean-runs -- [options]: runs of a trivial program, each of which has to end without a trace
  --runs N     so many (default 500)
  --jobs N     so many at a time (default 3)`

/** By turns: one that ends at once, one that computes. */
const programs = [
  'print("result 6")',
  'from dask.distributed import Client\nwith Client() as client:\n    print("result", client.submit(sum, [1, 2, 3]).result())',
] as const

interface CleanRun {
  readonly seconds: number
  readonly problem?: string
}

/** Runs them. Gives the exit status: 1 where one of them was not clean. */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: 'string', default: '500' },
      jobs: { type: 'string', default: '3' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    say(usage)
    return 0
  }
  const count = Number(values.runs)
  const base = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'dask-hpc-runner-clean-'))
  const seconds: number[] = []
  const problems: string[] = []
  try {
    await mkdir(join(base, 'bin'))
    await writeFile(join(base, 'bin/python3'), `#!/bin/sh\nexec '${python}' "$@"\n`, { mode: 0o755 })
    const numbers = Array.from({ length: count }, (_, i) => i)
    await several(numbers, Number(values.jobs), async (number) => {
      const run = await runOnce(base, number)
      seconds.push(run.seconds)
      if (run.problem === undefined) return
      problems.push(run.problem)
      say(`FAIL ${number}: ${run.problem}`)
    })
  } finally {
    await rm(base, { recursive: true, force: true })
  }
  seconds.sort((a, b) => a - b)
  const at = (part: number): string => (seconds[Math.ceil(part * seconds.length) - 1] ?? Number.NaN).toFixed(2)
  say(`${count - problems.length} of ${count} runs were clean: status 0, no alarm, nothing left`)
  say(`seconds: fastest ${at(0.0001)}, median ${at(0.5)}, 95 % ${at(0.95)}, 99 % ${at(0.99)}, slowest ${at(1)}`)
  return problems.length === 0 ? 0 : 1
}

async function runOnce(base: string, number: number): Promise<CleanRun> {
  const directory = join(base, `run-${number}-`)
  const [work, temporary] = [join(directory, 'work'), join(directory, 'tmp')]
  for (const folder of [work, temporary]) await mkdir(folder, { recursive: true })
  const own = Object.entries(process.env).filter(([name]) => !/^(SLURM|PMI|OMPI|DASK|NODE_)/.test(name))
  // Reapers keep nothing but PATH.
  const env = {
    ...Object.fromEntries(own),
    PATH: `${join(directory, 'bin')}:${join(base, 'bin')}:${process.env.PATH ?? ''}`,
    TMPDIR: temporary,
  }
  const command = [program, 'local', '-n', '3', '--', 'python3', '-c', programs[number % 2 === 0 ? 0 : 1]]
  const start = performance.now()
  const child = spawn(process.execPath, command, { cwd: work, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [status, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  const seconds = (performance.now() - start) / 1000
  const problem = await whatIsWrong({ status, stdout, stderr, work, temporary, directory })
  await rm(directory, { recursive: true, force: true })
  return problem === undefined ? { seconds } : { seconds, problem }
}

async function whatIsWrong(run: {
  status: number | null
  stdout: string
  stderr: string
  work: string
  temporary: string
  directory: string
}): Promise<string | undefined> {
  const { status, stdout, stderr, work, temporary, directory } = run
  const output = stdout + stderr
  if (status !== 0) return `status ${status ?? 'none'}\n${output}`
  if (!stdout.includes('result 6\n')) return `no result\n${output}`
  const alarmed = alarmIn(output)
  if (alarmed !== undefined) return `${alarmed}\n${output}`
  try {
    await until(
      () => processesOf(directory),
      (left) => left.length === 0,
      { what: 'no process is left', say: (left) => left.join('\n'), patience: 10_000 },
    )
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  const files = [...(await readdir(work)), ...(await readdir(temporary)).filter((name) => !daskLeavings.has(name))]
  return files.length === 0 ? undefined : `left: ${files.join(' ')}`
}

/** Command lines of the processes that have the run's directory in their environment. */
function processesOf(directory: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(directory)) return []
      return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').slice(0, 100)}`]
    } catch {
      return []
    }
  })
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
