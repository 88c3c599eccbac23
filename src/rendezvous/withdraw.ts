import type { PrivateDirectory } from '../filesystem/private-directory.ts'
import { removeFile, removeKnownFiles } from '../filesystem/known-files.ts'
import { formatSystemError } from '../filesystem/system-error.ts'
import type { Logger } from '../logger.ts'
import { holdsClaim } from './claim-file.ts'
import { whoseTarget } from './in-the-way.ts'
import { type LockOptions, withLock } from './lock.ts'
import { outcomeName, type RendezvousPaths } from './names.ts'
import { noteName, runFiles } from './run-directory.ts'

/** How long the lock is waited for at the end, which has its own limits: a claim that stays is replaced by the next run. */
const withdrawPatience = 2_000

/** What of a run is to be removed. */
export interface WithdrawOptions extends Pick<LockOptions, 'onLock'> {
  readonly runDirectory: PrivateDirectory
  /** Of the claim and the record that this run made. Undefined: it made none. */
  readonly nonce: string | undefined
  /** Leave the outcome, and the directory for it. */
  readonly keepOutcome: boolean
  /** Leave the directory as it is: it is another run's. */
  readonly keepDirectory: boolean
  readonly logger: Logger
}

/**
 * Removes what is still this run's: the public file, the record and the run's directory, the claim.
 * Each part is tried, whatever became of the others; what cannot be removed is told to the logger.
 */
export async function withdrawAll(paths: RendezvousPaths, options: WithdrawOptions): Promise<void> {
  const { runDirectory, nonce, keepOutcome, keepDirectory, logger } = options
  const attempt = async (path: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      logger.warn(`Cannot remove "${path}": ${formatSystemError(error)}`)
    }
  }
  if (nonce !== undefined) await attempt(paths.schedulerFile, async () => withdrawPublicFile(paths, nonce))
  if (!keepDirectory)
    await attempt(runDirectory.path, async () => {
      const stays = (name: string): boolean => keepOutcome && (name === outcomeName || noteName.test(name))
      await removeKnownFiles(runDirectory, runFiles, (name) => !stays(name))
      await runDirectory.removeIfEmpty()
    })
  // The claim last: while it stands, nobody else takes the path for free.
  if (nonce !== undefined) await attempt(paths.claim, async () => withdrawClaim(paths, nonce, options))
}

async function withdrawPublicFile(paths: RendezvousPaths, nonce: string): Promise<void> {
  // Something else in its place, or nothing that can be read, is not ours to remove.
  const whose = await whoseTarget(paths, nonce).catch(() => 'other')
  if (whose === 'ours') await removeFile(paths.schedulerFile)
}

async function withdrawClaim(
  paths: RendezvousPaths,
  nonce: string,
  { onLock }: Pick<LockOptions, 'onLock'>,
): Promise<void> {
  // Asked first without the lock, which a run that claimed nothing has no need of.
  if (!(await holdsClaim(paths, nonce).catch(() => false))) return
  await withLock(
    paths,
    async (lock) => {
      if (!(await holdsClaim(paths, nonce))) return
      lock.throwIfLost()
      await removeFile(paths.claim)
    },
    { onLock, patience: withdrawPatience },
  )
}
