import { exitStatuses } from '../errors.ts'
import { assignRoles, type World } from '../identity/roles.ts'
import { type Exit, shellStatus } from '../process/exit.ts'

/** The status by which a remote start says that it has lost its process, or could not start it. */
const lostStatus = 255

/**
 * The status of a run, from the ends of its ranks: that of the rank which has the client. Where that was lost, the others
 * have ended with the status of the failure.
 */
export function endStatus(exits: readonly Exit[], client: number): number {
  const own = exits[client]
  if (own !== undefined && !isLost(own)) return shellStatus(own)
  const others = exits.filter((exit, rank) => rank !== client && !isLost(exit)).map(shellStatus)
  const failure = Math.max(0, ...others)
  if (failure > 0) return failure
  // A program may end with 255 by itself: then the others have ended well.
  return own?.signal === null && !own.forced ? shellStatus(own) : exitStatuses.ERR_COMPONENT_LOST
}

function isLost(exit: Exit): boolean {
  return exit.forced || exit.signal !== null || exit.status === lostStatus
}

/** The rank that has the client; without one rank 0 decides on the end. */
export function clientAmong(world: World): number {
  const roles = assignRoles(world)
  return Math.max(
    0,
    roles.findIndex((each) => each.includes('client')),
  )
}
