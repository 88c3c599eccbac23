import { lstat } from 'node:fs/promises'
import { defaults } from '../defaults.ts'
import { RunnerError } from '../errors.ts'
import type { Owner } from '../record/owner.ts'
import { cannotPublish } from './cannot-publish.ts'
import { readClaim } from './claim-file.ts'
import { removeStale, standsInTheWay } from './in-the-way.ts'
import type { Judgement, Predecessor } from './judgement.ts'
import { type LockOptions, withLock } from './lock.ts'
import type { RendezvousPaths } from './names.ts'
import { publishFile } from './publish.ts'

/** The path is held by a run that lives, or may live. */
export class PathInUseError extends RunnerError {
  readonly owner: Owner
  /** Whether the owner answered, or could not be asked. */
  readonly alive: boolean

  constructor(message: string, { owner, alive }: { readonly owner: Owner; readonly alive: boolean }) {
    super(message, { code: 'ERR_CANNOT_PUBLISH' })
    this.owner = owner
    this.alive = alive
  }
}

/**
 * Makes the scheduler file's path `owner`'s: looks at who held it and at what stands there, and
 * takes it over where nobody is harmed.
 *
 * @throws PathInUseError where another run holds it, RunnerError ERR_CANNOT_PUBLISH where what
 * stands there is not ours to replace or the directory cannot be written.
 */
export async function takeClaim(
  owner: Owner,
  judgement: Judgement,
  { signal, patience }: Pick<LockOptions, 'signal' | 'patience'> = {},
): Promise<void> {
  const { paths } = judgement
  await withLock(
    paths,
    async (lock) => {
      const predecessor = await findPredecessor(owner, judgement)
      const stale = await standsInTheWay(predecessor, judgement)
      signal?.throwIfAborted()
      lock.throwIfLost()
      // The claim first: where it cannot be written, nothing has been removed.
      await publishFile(paths.claim, JSON.stringify(owner))
      if (stale !== undefined) await removeStale(paths, stale)
    },
    { signal, patience, onLock: judgement.onLock },
  )
}

async function findPredecessor(me: Owner, judgement: Judgement): Promise<Predecessor | undefined> {
  const { paths, logger, ask } = judgement
  const owner = await readClaim(paths)
  if (owner === undefined || owner.nonce === me.nonce) return undefined
  const who = `run ${owner.run_key} on host ${owner.host} (process ${owner.pid})`
  switch (await ask(owner)) {
    case 'alive': {
      const why =
        owner.run_key === me.run_key
          ? `another process claims to be rank 0 of this run (process ${owner.pid} on ${owner.host}); were Slurm's variables copied by ssh?`
          : `${who} is using it; end that run or name another scheduler file`
      throw new PathInUseError(`Cannot publish "${paths.schedulerFile}": ${why}`, { owner, alive: true })
    }
    case 'gone':
      logger.warn(`Taking over "${paths.schedulerFile}" from ${who}, which is gone`)
      return { owner, how: 'gone' }
    case 'unreachable':
      if (!judgement.isOver(owner.run_key) && (await claimAge(paths)) < defaults.staleClaim)
        throw new PathInUseError(
          `Cannot publish "${paths.schedulerFile}": ${who} holds it and cannot be reached; ` +
            `if that run is over, remove "${paths.claim}"`,
          { owner, alive: false },
        )
      logger.warn(`Taking over "${paths.schedulerFile}" from ${who}, which cannot be reached and is taken to be over`)
      return { owner, how: 'abandoned' }
  }
}

async function claimAge(paths: RendezvousPaths): Promise<number> {
  try {
    return Date.now() - (await lstat(paths.claim)).mtimeMs
  } catch (error) {
    throw cannotPublish(paths.claim, error)
  }
}
