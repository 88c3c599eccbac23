import { readdir, readFile, readlink } from 'node:fs/promises'

/** A process of a host, by its number on this machine (on its host it has another one). */
export interface HostProcess {
  readonly pid: number
  readonly parent: number
  /** The kernel's name of it, such as `slurmstepd`. */
  readonly name: string
  /** Its command line. */
  readonly command: string
  /** Its environment, of which nothing is known where it has ended in the meantime. */
  readonly env: readonly string[]
}

/** All processes in a PID namespace, which is named as `/proc/PID/ns/pid` names it. */
export async function processesIn(namespace: string): Promise<HostProcess[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))
  const found = await Promise.all(pids.map(async (pid) => await describe(pid, namespace)))
  return found.filter((process) => process !== undefined)
}

async function describe(pid: string, namespace: string): Promise<HostProcess | undefined> {
  const its = await readlink(`/proc/${pid}/ns/pid`).catch(() => '')
  if (its !== namespace) return undefined
  const [status, command, environment] = await Promise.all(
    ['status', 'cmdline', 'environ'].map(async (name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
  )
  // A process that has ended and waits for its parent is none.
  if (status === undefined || status === '' || /^State:\s*Z/m.test(status)) return undefined
  return {
    pid: Number(pid),
    parent: Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1] ?? -1),
    name: /^Name:\s*(.*)$/m.exec(status)?.[1] ?? '',
    command: (command ?? '').split('\0').join(' ').trim(),
    env: (environment ?? '').split('\0'),
  }
}

/** One line for each process, for messages. */
export function formatProcesses(processes: readonly HostProcess[]): string {
  return processes.map(({ pid, name, command }) => `${pid} ${name}: ${command.slice(0, 200)}`).join('\n')
}
