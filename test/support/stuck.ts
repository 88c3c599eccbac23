import { readlinkSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { commandLine, parentOf, pids } from './processes.ts'

/** What file descriptor `fd` of a process is, such as `socket:[1234]`; undefined where it has ended. */
export function openFile(pid: number, fd: number | string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    return undefined
  }
}

/** A line for each of the `family`, and for whoever else holds one of the `files` open: what it is doing. */
export async function describeStuck(family: readonly number[], files: readonly string[]): Promise<string> {
  const all = await Promise.all(
    (await pids()).map(async (pid) => {
      const held = (await fds(pid)).filter((fd) => files.includes(openFile(pid, fd) ?? ''))
      return family.includes(pid) || held.length > 0 ? await describe(pid, held) : undefined
    }),
  )
  return all.filter((line) => line !== undefined).join('\n')
}

async function describe(pid: number, held: readonly string[]): Promise<string> {
  const [stat, wchan, command, parent] = await Promise.all([
    text(pid, 'stat'),
    text(pid, 'wchan'),
    commandLine(pid),
    parentOf(pid),
  ])
  const state = /^.*\) (\S)/s.exec(stat)?.[1] ?? 'gone'
  const holds = held.length > 0 ? `; holds the output as ${held.join(', ')}` : ''
  return `${pid} of ${parent}: ${state} ${wchan}${holds}: ${command.join(' ').slice(0, 300)}`
}

async function fds(pid: number): Promise<string[]> {
  return await readdir(`/proc/${pid}/fd`).catch(() => [])
}

async function text(pid: number, name: string): Promise<string> {
  return (await readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')).trim()
}
