import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { Reaper } from '../../../src/process/reaper.ts'
import { kill as signalProcess, pids, text } from '../../support/processes.ts'
import { patient } from '../../support/until.ts'

/** Waits until `look` gives `expected`; fails with what it gave last. */
export async function eventually<T>(look: () => T, expected: T, what: string): Promise<void> {
  await expect.poll(look, { timeout: patient, interval: 20, message: what }).toEqual(expected)
}

/** Whether a process runs; one that has ended and was not collected yet does not. */
export function isAlive(pid: number): boolean {
  const stat = text(pid, 'stat')
  return !'ZX'.includes(stat.charAt(stat.lastIndexOf(')') + 2))
}

/** Ids of the living processes whose command line or environment, whichever is asked for, contains `mark`. */
export function processesWith(mark: string, where: 'cmdline' | 'environ'): number[] {
  return pids().filter((pid) => text(pid, where).includes(mark) && isAlive(pid))
}

/** Ends a process, whatever became of it. */
export function kill(pid: number | undefined, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (pid !== undefined) signalProcess(pid, signal)
}

/** Starts a program in a process group of its own, which is killed at the latest when the test ends. */
export function startGroup(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): ChildProcess & { readonly pid: number } {
  const [program, ...args] = command
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, ...env },
  })
  onTestFinished(() => {
    if (child.pid !== undefined) kill(-child.pid)
  })
  if (child.pid === undefined) throw new Error(`Cannot start ${program}`)
  return child as ChildProcess & { pid: number }
}

/** A process that acts on no signal but KILL. Resolves once that is so. */
export async function stubborn(env: Readonly<Record<string, string>> = {}): Promise<number> {
  const child = startGroup(['/bin/sh', '-c', 'trap "" HUP INT TERM; echo ready; while :; do sleep 300; done'], env)
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
  return child.pid
}

/** A directory that is removed when the test ends. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'processes-'))
  onTestFinished(() => {
    rmSync(path, { recursive: true, force: true })
  })
  return path
}

/** A reaper that is closed when the test ends. */
export function newReaper(): Reaper {
  const reaper = new Reaper()
  onTestFinished(async () => {
    await reaper.close()
  })
  return reaper
}

/** Ids of the shells behind a reaper. */
export function shellsOf(reaper: Reaper): number[] {
  return processesOf(reaper).filter(leadsSession)
}

/** The shell of a reaper, and the process in which that watches its supervisor. */
export function processesOf(reaper: Reaper): number[] {
  const [mark = ''] = Object.values(reaper.environment)
  return processesWith(mark, 'cmdline')
}

/** Whether a process leads a session, as a reaper's shell does. */
export function leadsSession(pid: number): boolean {
  const stat = text(pid, 'stat')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3] === String(pid)
}
