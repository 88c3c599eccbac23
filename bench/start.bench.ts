// What it costs to start: file system calls and CPU time until the first thing that a process of a job does
// for its run, which is to make the run's directory; beside a Node that does nothing.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, watch } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { program } from '../test/support/cluster.ts'
import { slurmEnvironment } from '../test/support/environment.ts'
import { note } from './support/results.ts'
import { medianOf, table } from './support/table.ts'

const rounds = 30
/** File system calls beyond those of an empty Node. */
const mostCalls = 100
/** How many times the CPU time of an empty Node ours may be. */
const mostCpu = 2.2

/** A program that does nothing but to say, as ours does, that it is there. */
const empty = 'setTimeout(() => {}, 1e6); require("node:fs").mkdirSync(".F.json.run-empty")'

const env = { ...slurmEnvironment('step-4nodes-1task-each-proc1'), PATH: process.env.PATH }
const own = (directory: string): string[] => [
  program,
  'run',
  '--scheduler-file',
  join(directory, 'F.json'),
  '--',
  'true',
]

test('file system calls of the start', async () => {
  const [nothing, ours] = [await callsOf(['-e', '']), await callsOf(undefined)]
  const row = (name: string, { calls, opened }: Calls): string =>
    `${name.padEnd(20)}${calls} calls, ${opened} files opened\n`
  const text = `File system calls until the run's directory is made\n${row('an empty Node', nothing)}${row('dask-hpc-runner run', ours)}`
  process.stdout.write(text)
  await note('start-calls', { text, nothing, ours })
  expect(ours.calls - nothing.calls).toBeLessThan(mostCalls)
})

test('CPU time of the start', async () => {
  const times = { empty: [] as number[], ours: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    times.empty.push(await cpuOf((directory) => [join(directory, 'empty.cjs')]))
    times.ours.push(await cpuOf(own))
  }
  const ratio = medianOf(times.ours) / medianOf(times.empty)
  const text = [
    table(`CPU time until the run's directory is made, milliseconds, ${rounds} rounds`, [
      ['an empty Node', times.empty],
      ['dask-hpc-runner run', times.ours],
    ]),
    `${ratio.toFixed(2)} x an empty Node\n`,
  ].join('')
  process.stdout.write(text)
  await note('start-cpu', { text, times })
  expect(ratio).toBeLessThan(mostCpu)
})

interface Calls {
  readonly calls: number
  readonly opened: number
}

/** Calls that name a file, up to the one that makes the run's directory or to the end. */
async function callsOf(args: readonly string[] | undefined): Promise<Calls> {
  const directory = await mkdtemp('/dev/shm/start-')
  try {
    const trace = join(directory, 'trace')
    const command = args ?? [...own(directory).slice(0, 2), '--rendezvous-timeout', '1s', ...own(directory).slice(2)]
    const traced = ['-f', '-qq', '-e', 'trace=%file', '-o', trace, process.execPath, ...command]
    await promisify(execFile)('strace', traced, { env }).catch((error: unknown) => {
      if (args !== undefined) throw error
    })
    const lines = (await readFile(trace, 'utf8')).split('\n').filter((line) => line.includes('('))
    const decision = lines.findIndex((line) => line.includes('mkdir(') && line.includes('.F.json.run-'))
    if (args === undefined && decision < 0) throw new Error('it has not made the directory of the run')
    const counted = decision < 0 ? lines : lines.slice(0, decision)
    return { calls: counted.length, opened: counted.filter((line) => /open(at)?\(.*\) = \d/.test(line)).length }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** CPU time of a Node with these arguments until the run's directory is there, of all its threads, in milliseconds. */
async function cpuOf(args: (directory: string) => readonly string[]): Promise<number> {
  const directory = await mkdtemp('/dev/shm/start-')
  await writeFile(join(directory, 'empty.cjs'), empty)
  const child = spawn(process.execPath, args(directory), { env, stdio: 'ignore', cwd: directory })
  const ended = once(child, 'exit')
  try {
    // Read at once, in the same turn: it goes on meanwhile.
    return await new Promise((resolve) => {
      const watcher = watch(directory, (_, name) => {
        if (name?.startsWith('.F.json.run-') !== true) return
        watcher.close()
        resolve(cpuTimeOf(child.pid ?? 0))
      })
    })
  } finally {
    child.kill('SIGKILL')
    await ended
    await rm(directory, { recursive: true, force: true })
  }
}

/** CPU time of a process until now, in milliseconds. */
function cpuTimeOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const each = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]),
  )
  return each.reduce((sum, ns) => sum + ns, 0) / 1e6
}
