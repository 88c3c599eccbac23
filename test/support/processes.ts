import { readdirSync, readFileSync } from 'node:fs'

/** Sends a signal to a process that may have ended. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended in the meantime.
  }
}

// Tests look at all processes many times a second, and what is in /proc is there at once: so it is read at once, for a third of the work.

/** The ids of all processes. */
export function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** The program and its arguments; nothing where it has ended. */
export function commandLine(pid: number): string[] {
  return text(pid, 'cmdline').split('\0')
}

/** The parent's process id, or -1. */
export function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(text(pid, 'status'))?.[1] ?? -1)
}

/** Whether a process is `ancestor`, or has come of it and of others that are there. */
export function isWithin(pid: number, ancestor: number): boolean {
  return pid === ancestor || (pid > 1 && isWithin(parentOf(pid), ancestor))
}

/** The variables with which it was started, each as NAME=VALUE. */
export function environment(pid: number): string[] {
  return text(pid, 'environ').split('\0')
}

/** Whether a process has just begun with another program, whose arguments and variables are not to be seen yet. */
export function isInExec(pid: number): boolean {
  return text(pid, 'cmdline') === '' && text(pid, 'environ') === '' && /^VmSize:/m.test(text(pid, 'status'))
}

/** Its id and its command line, shortened. */
export function describeProcess(pid: number): string {
  return `${pid}: ${commandLine(pid).join(' ').slice(0, 250)}`
}

/** What the kernel says of a process; nothing where it has ended. */
export function text(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}
