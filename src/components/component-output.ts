import type { Role } from '../identity/roles.ts'
import type { RunContext } from '../identity/run-context.ts'
import { passOn } from '../process/output.ts'

/** Takes the lines of a component of this process: for the console, and for its log file if there is one. */
export function outputOf(
  role: Role,
  { identity, log }: Pick<RunContext, 'identity' | 'log'>,
): ReturnType<typeof passOn> {
  return passOn(`[${identity.rank} ${role}]`, (line) => log?.keep(role, line))
}
