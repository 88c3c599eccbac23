import { readFile, readlink, readdir } from 'node:fs/promises'

/** Which of the hosts' addresses a set of processes listens on, as the kernel writes them: `0100007F` is 127.0.0.1. */
export async function listening(pids: readonly number[]): Promise<string[]> {
  const tables = await Promise.all(['tcp', 'tcp6'].map(async (name) => await readFile(`/proc/net/${name}`, 'utf8')))
  const addresses = new Map<string, string>(
    tables.flatMap((table) =>
      table.split('\n').flatMap((line) => {
        const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
        return state === '0A' ? [[`socket:[${inode}]`, local.replace(/:.*/, '')] as const] : []
      }),
    ),
  )
  const files = await Promise.all(pids.map(openFiles))
  return files.flat().flatMap((file) => addresses.get(file) ?? [])
}

/** IPv4 loopback, as the kernel writes it. */
export const loopback = '0100007F'

async function openFiles(pid: number): Promise<string[]> {
  const directory = `/proc/${pid}/fd`
  const names = await readdir(directory).catch(() => [])
  return await Promise.all(names.map(async (name) => await readlink(`${directory}/${name}`).catch(() => '')))
}
