import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitStatuses } from '../errors.ts'
import type { PrivateDirectory } from '../filesystem/private-directory.ts'
import { newTemporary } from '../filesystem/replace-file.ts'
import type { OutcomeRecord } from '../record/outcome-record.ts'
import { gathererName, outcomeName, recordName } from './names.ts'

/**
 * Leaves the outcome of a run in its directory. Where that cannot be written, as on a full disk, an
 * empty file is left whose name alone says what is needed: `failed-73-no-space-left`. Where not even
 * that is possible, nothing is left and nothing is thrown.
 */
export async function publishOutcome(runDirectory: PrivateDirectory, outcome: OutcomeRecord): Promise<void> {
  try {
    await runDirectory.put(outcomeName, JSON.stringify(outcome))
  } catch {
    // Where that fails too, the waiters end at their own deadline.
    await runDirectory.leaveName(noteFor(outcome)).catch(() => undefined)
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
      for (const name of [gathererName, recordName]) rmSync(join(at, name), { force: true })
    })
  } catch {
    // The waiters then end at their own deadline.
  }
}

/** The name of the empty file that stands for `outcome`. */
export function noteFor({ failure }: OutcomeRecord): string {
  if (failure === undefined) return 'failed-0-the-run-is-over'
  const words = failure.message.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '')
  // A file's name has 255 bytes at most. The end of a message says more than its beginning.
  return `failed-${failure.status}-${words.slice(-200).replace(/^-/, '') || 'unknown'}`
}

/** Name of the note that is left for a process 0 on `host` that was killed. */
export function killedNote(host: string): string {
  return `failed-69-process-0-on-${host.replace(/[^A-Za-z0-9]+/g, '-')}-was-killed`
}

/** The outcome that the file name `note` stands for. */
export function outcomeOfNote(note: string, runKey: string): OutcomeRecord {
  const [, digits, words] = /^failed-(\d+)-(.*)$/.exec(note) ?? []
  const status = digits === undefined ? exitStatuses.ERR_CANNOT_PUBLISH : Number(digits)
  if (status === 0) return { version: 1, run_key: runKey }
  const said = (words ?? note).replaceAll('-', ' ')
  const host = /^process 0 on (.*) was killed$/.exec(said)?.[1]
  const message =
    host === undefined
      ? `process 0 could only leave a short note of why it failed: ${said}`
      : `Lost process 0 on ${host}: it was killed`
  return { version: 1, run_key: runKey, failure: { status, message, rank: 0, host: 'unknown', last_lines: [] } }
}
