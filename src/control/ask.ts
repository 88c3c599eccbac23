import { defaults } from '../defaults.ts'
import type { Owner } from '../record/owner.ts'
import { deadline } from '../util/wait.ts'
import { type FromHub, fromHubSchema, type ToHub } from './messages.ts'
import { reachOwner } from './reach.ts'
import { Wire } from './wire.ts'

/**
 * Whether the run of `owner` is still there. A port that accepts and says nothing is busy or frozen,
 * and so alive; one that answers as somebody else means that the run is gone.
 */
export async function askOwner(owner: Owner): Promise<'alive' | 'gone' | 'unreachable'> {
  const socket = await reachOwner(owner)
  if (socket === 'refused') return 'gone'
  if (socket === 'unreachable') return 'unreachable'
  const wire = new Wire<FromHub, ToHub>(socket, fromHubSchema)
  try {
    wire.send({ type: 'who' })
    const answer = await deadline(wire.next(), defaults.connectTimeout, () => new Silence())
    return answer.type === 'run' && answer.nonce === owner.nonce ? 'alive' : 'gone'
  } catch (error) {
    return error instanceof Silence ? 'alive' : 'gone'
  } finally {
    wire.destroy()
  }
}

class Silence extends Error {}
