import { lstat } from 'node:fs/promises'
import { errnoOf, RunnerError } from '../../errors.ts'
import { formatForeign, ownUid } from '../../filesystem/untrusted.ts'
import { formatDuration } from '../../util/duration.ts'
import { monotonic } from '../../util/monotonic.ts'
import { sleep } from '../../util/wait.ts'
import { cannotPublish, refusal } from './cannot-publish.ts'
import type { RendezvousPaths } from './names.ts'

/** Age at which a lock counts as left behind; its holder freshens it in half of it. It is told by comparing two clocks. In milliseconds. */
const staleLock = 15_000
/** How long a process waits for the lock: longer than any holder needs, and than one that was killed holds it. In milliseconds. */
export const lockPatience = 18_000

/** A held lock. */
export interface Lock {
  /** @throws RunnerError where another process took the lock away meanwhile. */
  throwIfLost(): void
}

/** Beside a lock. */
export interface LockOptions {
  readonly signal?: AbortSignal | undefined
  /** Told of the directory that a process leaves which is killed now, and of undefined when that is over. */
  readonly onLock?: ((directory: string | undefined) => void) | undefined
  /** Milliseconds to wait for the lock. @default 18 s */
  readonly patience?: number | undefined
}

/**
 * Runs `work` while no other process, on whatever host, runs its own on the same scheduler file.
 *
 * @throws RunnerError ERR_CANNOT_PUBLISH where the lock is not free within `patience` or cannot be
 * made, the signal's reason, or what `work` throws.
 */
export async function withLock<T>(
  paths: RendezvousPaths,
  work: (lock: Lock) => Promise<T>,
  { signal, onLock = () => undefined, patience = lockPatience }: LockOptions = {},
): Promise<T> {
  let lost: Error | undefined
  const release = await acquire(paths, {
    signal,
    patience,
    onCompromised: (error) => {
      lost = error
      onLock(undefined)
    },
  })
  onLock(paths.lock)
  try {
    return await work({
      throwIfLost: () => {
        if (lost !== undefined) throw cannotPublish(paths.schedulerFile, lost)
      },
    })
  } finally {
    // Fails where the lock was taken away: then there is nothing to release.
    await release().catch(() => undefined)
    onLock(undefined)
  }
}

interface AcquireOptions {
  readonly patience: number
  readonly signal: AbortSignal | undefined
  readonly onCompromised: (error: Error) => void
}

async function acquire(paths: RendezvousPaths, options: AcquireOptions): Promise<() => Promise<void>> {
  // Importing it adds signal handlers, so that only a process that locks does.
  const { default: lockfile } = await import('proper-lockfile')
  const end = monotonic() + options.patience
  for (;;) {
    options.signal?.throwIfAborted()
    try {
      return await lockfile.lock(paths.schedulerFile, {
        lockfilePath: paths.lock,
        realpath: false,
        stale: staleLock,
        retries: 0,
        onCompromised: options.onCompromised,
      })
    } catch (error) {
      await refuseLockOfOthers(paths)
      if (errnoOf(error) !== 'ELOCKED') throw cannotPublish(paths.schedulerFile, error)
      if (monotonic() > end) throw held(paths, options.patience, error)
    }
    await sleep(50 + 100 * Math.random(), options.signal)
  }
}

/** A lock of somebody else, who may leave it for ever, is not waited for. */
async function refuseLockOfOthers({ schedulerFile, lock }: RendezvousPaths): Promise<void> {
  const found = await lstat(lock).catch(() => undefined)
  if (found !== undefined && found.uid !== ownUid())
    throw refusal(schedulerFile, `its lock "${lock}" is there, and ${await formatForeign(found)}; name another path`)
}

function held(paths: RendezvousPaths, patience: number, cause: unknown): RunnerError {
  const why = `another process has held the lock "${paths.lock}" for ${formatDuration(patience)}; if no run is starting there, remove it`
  return new RunnerError(refusal(paths.schedulerFile, why).message, { code: 'ERR_CANNOT_PUBLISH', cause })
}
