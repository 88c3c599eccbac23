import { readdir, readFile } from 'node:fs/promises'

/** Sends a signal to a process that may have ended. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended in the meantime.
  }
}

/** The ids of all processes. */
export async function pids(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
}

/** The program and its arguments; nothing where it has ended. */
export async function commandLine(pid: number): Promise<string[]> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
}

/** The parent's process id, or -1. */
export async function parentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1] ?? -1)
}

/** The variables with which it was started, each as NAME=VALUE. */
export async function environment(pid: number): Promise<string[]> {
  return (await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).split('\0')
}

/** Its id and its command line, shortened. */
export async function describeProcess(pid: number): Promise<string> {
  return `${pid}: ${(await commandLine(pid)).join(' ').slice(0, 250)}`
}
