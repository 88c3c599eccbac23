import { readdirSync, readlinkSync } from 'node:fs'
import { commandLine, parentOf, pids, text } from './processes.ts'

/** What file descriptor `fd` of a process is, such as `socket:[1234]`; undefined where it has ended. */
export function openFile(pid: number, fd: number | string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    return undefined
  }
}

/** A line for each of the `family`, and for whoever else holds one of the `files` open: what it is doing. */
export function describeStuck(family: readonly number[], files: readonly string[]): string {
  const lines = pids().flatMap((pid) => {
    const held = fds(pid).filter((fd) => files.includes(openFile(pid, fd) ?? ''))
    return family.includes(pid) || held.length > 0 ? [describe(pid, held)] : []
  })
  return lines.join('\n')
}

function describe(pid: number, held: readonly string[]): string {
  const state = /^.*\) (\S)/s.exec(text(pid, 'stat'))?.[1] ?? 'gone'
  const holds = held.length > 0 ? `; holds the output as ${held.join(', ')}` : ''
  return `${pid} of ${parentOf(pid)}: ${state} ${text(pid, 'wchan')}${holds}: ${commandLine(pid).join(' ').slice(0, 300)}`
}

function fds(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`)
  } catch {
    return []
  }
}
