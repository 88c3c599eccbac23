import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitStatuses } from '../../errors.ts'
import type { PrivateDirectory } from '../../filesystem/private-directory.ts'
import { newTemporary } from '../../filesystem/replace-file.ts'
import type { OutcomeRecord } from '../../record/outcome-record.ts'
import { coordinatorName, outcomeName } from './names.ts'

/** Leaves the outcome of a run in its directory. On a full disk it is an empty file. Nothing is thrown. */
export async function publishOutcome(runDirectory: PrivateDirectory, outcome: OutcomeRecord): Promise<void> {
  try {
    await runDirectory.put(outcomeName, JSON.stringify(outcome))
  } catch {
    // Where that fails too, the waiters end at their own deadline.
    await runDirectory.leaveName(outcomeName).catch(() => undefined)
  }
}

/**
 * {@link publishOutcome} for a process that is exiting and cannot wait: without syncing, and in place
 * of the record. Never throws.
 */
export function publishOutcomeAtOnce(runDirectory: PrivateDirectory, outcome: OutcomeRecord): void {
  try {
    runDirectory.useAtOnce((at) => {
      const path = join(at, outcomeName)
      const temporary = newTemporary(path)
      writeFileSync(temporary, JSON.stringify(outcome), { mode: 0o600, flag: 'wx' })
      renameSync(temporary, path)
      rmSync(join(at, coordinatorName), { force: true })
    })
  } catch {
    // The waiters then end at their own deadline.
  }
}

/** What an outcome says that rank 0 could not write. */
export function unwrittenOutcome(runKey: string): OutcomeRecord {
  const message = 'Rank 0 has failed, and could not write why: see what it prints'
  return failed(runKey, { status: exitStatuses.ERR_CANNOT_PUBLISH, message })
}

/** What it says that the reaper of rank 0 has left word. */
export function killedOutcome(runKey: string, host: string | undefined): OutcomeRecord {
  const message = `Lost rank 0${host === undefined ? '' : ` on ${host}`}: it was killed`
  return failed(runKey, { status: exitStatuses.ERR_COMPONENT_LOST, message, host })
}

function failed(
  runKey: string,
  {
    host = 'unknown',
    ...failure
  }: { readonly status: number; readonly message: string; readonly host?: string | undefined },
): OutcomeRecord {
  return { version: 1, run_key: runKey, failure: { ...failure, rank: 0, host, last_lines: [] } }
}
