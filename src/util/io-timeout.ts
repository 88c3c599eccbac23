import { spawn } from 'node:child_process'
import { shellPath } from './shell-path.ts'
import { deadline } from './wait.ts'

let pending = 0

/**
 * The outcome of an operation on a filesystem. Where there is none after `ms` milliseconds, or when `signal` aborts, the
 * operation is given up, but it goes on holding a thread of this process, which cannot exit by itself
 * before that is free: see {@link forceExit}.
 *
 * @throws what `late` makes, the signal's reason, or what the operation rejects with.
 */
export async function withIoTimeout<T>(
  operation: Promise<T>,
  ms: number,
  late: () => Error,
  signal?: AbortSignal,
): Promise<T> {
  const giveUp = (): void => {
    pending++
    const settle = (): void => {
      pending--
    }
    operation.then(settle, settle)
  }
  const lateAfterAll = (): Error => {
    giveUp()
    return late()
  }
  if (signal?.aborted === true) giveUp()
  signal?.addEventListener('abort', giveUp, { once: true })
  try {
    return await deadline(operation, ms, lateAfterAll, signal)
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
}

/** How long an exit may take where an operation was given up. In seconds. */
const exitPatience = 2

/** Kills the process $1 after $2 seconds, if it is the parent still. */
const killer = 'sleep "$2"; read -r stat </proc/$$/stat; set -- "$1" ${stat##*) }; [ "$3" = "$1" ] && kill -KILL "$1"'

/**
 * Exits with `status`. An operation that was given up would hold Node's exit for ever: then this
 * process is killed from outside, and its status is that of SIGKILL.
 */
export function forceExit(status: number): never {
  if (pending > 0)
    spawn('/bin/sh', ['-c', killer, 'dask-run-exit', String(process.pid), String(exitPatience)], {
      detached: true,
      stdio: 'ignore',
      cwd: '/',
      env: { PATH: shellPath() },
    }).unref()
  return process.exit(status)
}
