import { formatValue } from './check-options.ts'
import type { SubmitOptions } from './submit-options.ts'
import type { SchedulerInfo } from './cluster-info.ts'

/** What a task asks of the worker that runs it. */
export type WorkerNeeds = Pick<SubmitOptions, 'workers' | 'resources'>

/** What a task of these options asks; nothing where any worker will do. */
export function needsOf({ workers, allowOtherWorkers, resources }: SubmitOptions): WorkerNeeds {
  const named = allowOtherWorkers === true ? undefined : workers
  return { ...(named === undefined ? {} : { workers: named }), ...(resources === undefined ? {} : { resources }) }
}

/** Why no worker that is there can run a task; undefined where one can, which is busy then. */
export function whyPending({ workers, resources = {} }: WorkerNeeds, info: SchedulerInfo): string | undefined {
  const there = Object.entries(info.workers)
  const named = there.filter(
    ([address, { name }]) =>
      workers === undefined ||
      workers.some((one) => one === address || String(name) === String(one) || processOf(name) === String(one)),
  )
  if (named.length === 0)
    return workers === undefined
      ? 'no worker is there'
      : `no worker of those it is to run on is there: ${formatValue(workers)}`
  const able = named.some(([, worker]) =>
    Object.entries(resources).every(([name, amount]) => (worker.resources?.[name] ?? 0) >= amount),
  )
  if (able) return undefined
  const which = workers === undefined ? 'no worker' : 'no worker of those it is to run on'
  return `${which} has the resources it asks for: ${formatValue(resources)}`
}

/** The process of one of several workers: their names are its rank with a number of their own. */
function processOf(name: string | number): string {
  return String(name).replace(/-[^-]*$/, '')
}
