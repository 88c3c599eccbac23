import type { Cluster } from './cluster.ts'
import { commandLine, parentOf } from './processes.ts'
import { until } from './until.ts'

/** The process id of the child of `parent` that has `text` in its command line, once it is there. */
export async function childOf(cluster: Cluster, parent: number, text: string): Promise<number> {
  const isIt = async (pid: number): Promise<boolean> =>
    (await parentOf(pid)) === parent && (await commandLine(pid)).join(' ').includes(text)
  const look = async (): Promise<number | undefined> => {
    for (const pid of await cluster.processes()) if (await isIt(pid)) return pid
    return undefined
  }
  const found = await until(look, (pid) => pid !== undefined, {
    what: `process ${parent} has a child with "${text}"`,
    say: () => 'it has none',
    interval: 20,
  })
  return found ?? -1
}
