import { RunnerError } from '../errors.ts'
import type { Role } from '../identity/roles.ts'
import type { RunContext } from '../identity/run-context.ts'
import { freePort } from './free-port.ts'
import { listenHost } from './listen-address.ts'

/**
 * Tries the ports that the run's workers are to use, before anything is started. That a user may not listen there every
 * process can tell; that something else does, only one that has workers and knows already on which of its addresses they listen.
 *
 * @throws what {@link freePort} throws.
 */
export async function checkWorkerPorts(run: RunContext, mine: readonly Role[]): Promise<void> {
  const { options, roles, identity } = run
  if (options.workerCommand !== undefined || !roles.some((each) => each.includes('worker'))) return
  const isMine = mine.includes('worker')
  const isKnown = options.scheduler && (identity.nodes === 1 || options.host !== undefined)
  const host = isMine && isKnown ? (await listenHost('worker', run))?.address : undefined
  for (const option of ['workerPort', 'nannyPort'] as const) {
    if (options[option] === undefined || (option === 'nannyPort' && !options.nanny)) continue
    try {
      await freePort(option, host, options)
    } catch (error) {
      const isTaken = error instanceof RunnerError && error.code === 'ERR_UNAVAILABLE'
      if (!isTaken || host !== undefined) throw error
    }
  }
}
