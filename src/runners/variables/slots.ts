import { type Environment, identityError, readVariable, show } from '../../identity/environment.ts'
import { mostProcesses } from '../../options/table.ts'

/** How many slots a job has on each host, by the host's name without its domain. */
export type Slots = ReadonlyMap<string, number>

/**
 * The slots in a list such as `hostA 4 hostB 4`; undefined where the variable is missing.
 *
 * @throws RunnerError with `ERR_ENVIRONMENT` where it is no such list.
 */
export function countSlots(env: Environment, variable: string): Slots | undefined {
  const text = readVariable(env, variable)
  if (text === undefined) return undefined
  const words = text.trim().split(/\s+/)
  const slots = new Map<string, number>()
  for (let i = 0; i < words.length; i += 2) {
    const [host = '', count = ''] = words.slice(i, i + 2)
    if (!/^[0-9]{1,7}$/.test(count) || Number(count) > mostProcesses)
      throw identityError(
        `${show(env, variable)}, which is not a list such as "hostA 4 hostB 4"`,
        'check what changed it',
      )
    slots.set(shortName(host), (slots.get(shortName(host)) ?? 0) + Number(count))
  }
  return slots
}

/** A host's name without its domain: one system writes it, another does not. */
export function shortName(host: string): string {
  return host.split('.')[0] ?? host
}

/** All slots together. */
export function sumOf(slots: Slots | undefined): number {
  return [...(slots?.values() ?? [])].reduce((sum, each) => sum + each, 0)
}
