import { type Environment, readVariable } from './environment.ts'

/** More names than any machine has: a list beyond it, or with longer numbers, was not written by a workload manager. */
export const mostNames = 1_000_000

/**
 * The names in Slurm's short form of a list, in its order: `gpu3,node[08-10]` is gpu3, node08, node09,
 * node10. Several brackets in one name multiply, the last one running fastest.
 *
 * @returns undefined where the text is not such a list.
 */
export function expandNodeList(text: string): readonly string[] | undefined {
  // Items are separated by the commas outside of brackets.
  const items = text.match(/(?:[^,[\]]|\[[^[\]]*\])+/g)
  if (items?.join(',') !== text) return undefined
  const names: string[] = []
  for (const item of items) {
    const expanded = expandItem(item)
    if (expanded === undefined || names.length + expanded.length > mostNames) return undefined
    for (const name of expanded) names.push(name)
  }
  return names
}

function expandItem(item: string): readonly string[] | undefined {
  let names: readonly string[] = ['']
  for (const [part] of item.matchAll(/\[[^\]]*\]|[^[]+/g)) {
    const endings = part.startsWith('[') ? expandBracket(part.slice(1, -1)) : [part]
    if (endings === undefined || names.length * endings.length > mostNames) return undefined
    names = names.flatMap((name) => endings.map((ending) => name + ending))
  }
  return names
}

function expandBracket(text: string): readonly string[] | undefined {
  const numbers: string[] = []
  for (const range of text.split(',')) {
    const [, first, last = first] = /^([0-9]{1,15})(?:-([0-9]{1,15}))?$/.exec(range) ?? []
    if (first === undefined || last === undefined) return undefined
    const count = Number(last) - Number(first) + 1
    if (count < 1 || numbers.length + count > mostNames) return undefined
    for (let i = 0; i < count; i++) numbers.push(String(Number(first) + i).padStart(first.length, '0'))
  }
  return numbers
}

/**
 * The numbers in Slurm's short form of a list of counts: `4,1(x2)` is 4, 1, 1.
 *
 * @returns undefined where the text is not such a list.
 */
export function expandCounts(text: string): readonly number[] | undefined {
  const counts: number[] = []
  for (const item of text.split(',')) {
    const [, count, times = '1'] = /^([0-9]{1,15})(?:\(x([0-9]{1,15})\))?$/.exec(item) ?? []
    if (count === undefined || counts.length + Number(times) > mostNames) return undefined
    for (let i = 0; i < Number(times); i++) counts.push(Number(count))
  }
  return counts
}

/** The nodes of the step beside `host`, or of the job where an MPI launcher started the processes. */
export function otherSlurmNodes(env: Environment, host: string): readonly string[] {
  const lists = ['SLURM_STEP_NODELIST', 'SLURM_NODELIST', 'SLURM_JOB_NODELIST']
  const list = lists.map((name) => readVariable(env, name)).find((text) => text !== undefined)
  return (expandNodeList(list ?? '') ?? []).filter((node) => node !== host)
}
