import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { access, lstat, readFile, rename, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, messageOf, RunnerError } from '../errors.ts'
import { makeOwnDirectory, ownDirectory } from '../util/own-directory.ts'
import { temporaryDirectory } from '../util/surroundings.ts'
import type { TlsFiles } from '../util/tls-files.ts'
import { writeNew } from '../util/write-new.ts'
import { secretsDirectory } from './private-files.ts'

const parts = { caFile: 'ca.pem', cert: 'cert.pem', key: 'key.pem' } as const

/**
 * Copies the certificates of a run to where they stay after this process: one directory for each scheduler file, so that those of
 * a later run take the place of those of an earlier one.
 *
 * @param schedulerFile its absolute path
 * @throws RunnerError ERR_ENVIRONMENT where that is not possible.
 */
export async function keepFiles(files: Required<TlsFiles>, schedulerFile: string): Promise<Required<TlsFiles>> {
  const directory = join(await place(), nameFor(schedulerFile))
  try {
    await makeOwnDirectory(directory).catch(async (error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error
      await ownDirectory(directory)
      if (((await lstat(directory)).mode & 0o077) !== 0) throw new Error('others can enter it')
    })
    for (const [part, name] of Object.entries(parts)) {
      const path = join(directory, name)
      const own = `${path}.${process.pid}`
      await writeNew(own, await readFile(files[part as keyof typeof parts]), 0o600)
      await rename(own, path)
    }
  } catch (cause) {
    throw new RunnerError(
      `Cannot keep the certificates of the run in "${directory}": ${messageOf(cause)}; name another directory in XDG_RUNTIME_DIR`,
      { code: 'ERR_ENVIRONMENT', cause },
    )
  }
  return {
    caFile: join(directory, parts.caFile),
    cert: join(directory, parts.cert),
    key: join(directory, parts.key),
  }
}

/** Where {@link keepFiles} may have kept something for a scheduler file. */
export async function keptDirectories(schedulerFile: string): Promise<readonly string[]> {
  const name = nameFor(schedulerFile)
  return [...new Set([await place(), secretsDirectory(), temporaryDirectory()])].map((parent) => join(parent, name))
}

/**
 * Removes what {@link keepFiles} has kept for a scheduler file.
 *
 * @returns the directories that are gone
 */
export async function removeKept(schedulerFile: string): Promise<readonly string[]> {
  const gone: string[] = []
  for (const directory of await keptDirectories(schedulerFile)) {
    try {
      await ownDirectory(directory)
    } catch {
      // There is none, or it is not ours.
      continue
    }
    for (const part of Object.values(parts)) await unlink(join(directory, part)).catch(() => undefined)
    await rmdir(directory)
    gone.push(directory)
  }
  return gone
}

/** The directory of this login, where it is ours and nobody else enters it; else where secrets of this node are kept. */
async function place(): Promise<string> {
  const login = process.env.XDG_RUNTIME_DIR ?? ''
  try {
    await ownDirectory(login)
    await access(login, constants.W_OK | constants.X_OK)
    if (((await lstat(login)).mode & 0o077) === 0) return login
  } catch {
    // There is none.
  }
  return secretsDirectory()
}

function nameFor(schedulerFile: string): string {
  const word = createHash('sha256').update(schedulerFile).digest('hex').slice(0, 16)
  return `dask-hpc-runner-env-${process.geteuid?.() ?? 0}-${word}`
}
