import { readFileSync, statSync } from 'node:fs'
import { errnoOf, messageOf } from '../../errors.ts'
import { type Environment, identityError, readVariable, show } from '../../identity/environment.ts'
import { shortName } from './slots.ts'

/**
 * The hosts in the node file that a variable names, each once, in its order.
 *
 * @throws RunnerError with `ERR_ENVIRONMENT` where it cannot be read, or names none.
 */
export function hostsInFile(env: Environment, variable: string): readonly string[] {
  const hosts = [...new Set(readText(env, variable).split(/\s+/))].filter((name) => name !== '')
  if (hosts.length > 0) return hosts
  throw identityError(`${show(env, variable)}, which names no host`, 'check what changed it')
}

function readText(env: Environment, variable: string): string {
  const path = readVariable(env, variable) ?? ''
  try {
    // A pipe or a terminal would be waited for.
    return statSync(path).isFile() ? readFileSync(path, 'utf8') : ''
  } catch (error) {
    throw identityError(
      `${show(env, variable)}, which cannot be read (${errnoOf(error) ?? messageOf(error)})`,
      'check what changed it',
    )
  }
}

/** Where a host is among them, from 0; -1 where it is none of them. One system writes the domain, another does not. */
export function positionOf(host: string, hosts: readonly string[]): number {
  const exact = hosts.indexOf(host)
  return exact === -1 ? hosts.map(shortName).indexOf(shortName(host)) : exact
}
