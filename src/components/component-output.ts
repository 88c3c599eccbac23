import type { Role } from '../identity/roles.ts'
import type { RunContext } from '../identity/run-context.ts'
import { type OnLines, passOn } from '../process/output.ts'

/** Takes the lines of a component of this process: for the console, and for its log file if there is one. */
export function outputOf(role: Role, { identity, log }: Pick<RunContext, 'identity' | 'log'>): OnLines {
  return passOn(
    `[${identity.rank} ${role}]`,
    log &&
      ((lines) => {
        log.keep(role, lines)
      }),
  )
}
