import type { Owner } from '../record/cluster-record.ts'
import { openChannel } from './open-channel.ts'

/** A connection that is closed without a word is tried again so often: one that is flooded closes those that it does not know. */
const attempts = 3

/**
 * Whether the run of `owner` is still there. A port that accepts and says nothing is busy or frozen,
 * and so alive; one that does not prove that it has the owner's nonce, which it never tells, means that the run is gone.
 */
export async function askOwner(owner: Owner): Promise<'alive' | 'gone' | 'unreachable'> {
  for (let attempt = 1; ; attempt++) {
    const opened = await openChannel(owner, { purpose: 'ask', secret: owner.nonce })
    if (typeof opened !== 'string') {
      opened.end()
      return 'alive'
    }
    if (opened === 'silent') return 'alive'
    if (opened === 'unreachable' || opened === 'no address') return 'unreachable'
    if (opened !== 'closed' || attempt === attempts) return 'gone'
  }
}
