import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { exitStatuses } from '../errors.ts'
import type { OutcomeRecord } from '../record/outcome-record.ts'
import type { RendezvousPaths } from './names.ts'
import { publishFile } from './publish.ts'

/**
 * Leaves the outcome of a run in its directory. Where that cannot be written, as on a full disk, an
 * empty file is left whose name alone says what is needed: `failed-73-no-space-left`. Where not even
 * that is possible, nothing is left and nothing is thrown.
 */
export async function publishOutcome(paths: RendezvousPaths, outcome: OutcomeRecord): Promise<void> {
  try {
    await publishFile(paths.outcome, JSON.stringify(outcome))
  } catch {
    try {
      const handle = await open(join(paths.runDirectory, noteFor(outcome)), 'wx', 0o600)
      await handle.close()
    } catch {
      // The waiters then end at their own deadline.
    }
  }
}

/**
 * {@link publishOutcome} for a process that is exiting and cannot wait: without syncing, and in place
 * of the record. Never throws.
 */
export function publishOutcomeAtOnce(paths: RendezvousPaths, outcome: OutcomeRecord): void {
  try {
    const temporary = `${paths.outcome}.${process.pid}`
    writeFileSync(temporary, JSON.stringify(outcome), { mode: 0o600, flag: 'wx' })
    renameSync(temporary, paths.outcome)
    for (const path of [paths.gatherer, paths.record]) rmSync(path, { force: true })
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
