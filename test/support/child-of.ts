import type { Cluster } from './cluster.ts'
import { commandLine, parentOf } from './processes.ts'
import { until } from './until.ts'

/** The process id of the child of `parent` that has `text` in its command line, once it is there. */
export async function childOf(cluster: Cluster, parent: number, text = ''): Promise<number> {
  const isIt = (pid: number): boolean => parentOf(pid) === parent && commandLine(pid).join(' ').includes(text)
  const found = await until(
    () => cluster.processes().find(isIt),
    (pid) => pid !== undefined,
    { what: `process ${parent} has a child with "${text}"`, say: () => 'it has none' },
  )
  return found ?? -1
}
