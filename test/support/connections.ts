import { readFile } from 'node:fs/promises'

/** A port that nobody listens on, nor gets by chance as one that was free a moment ago: that of tcpmux. */
export const closedPort = 1

/**
 * How many connections there are to a port of the host of `pid`, whose owner has not closed them, whether or not the
 * other end has.
 */
export async function connectionsTo(port: number, pid: number | 'self' = 'self'): Promise<number> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map(async (name) => await readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => '')),
  )
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const [established, closedByOther] = ['01', '08']
  const lines = tables.join('').split('\n')
  return lines.filter((line) => {
    const [, from = '', , state = ''] = line.trim().split(/\s+/)
    return from.endsWith(local) && [established, closedByOther].includes(state)
  }).length
}
