import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, RunnerError } from '../errors.ts'
import { refuseOtherFiles, removeKnownFiles } from '../filesystem/known-files.ts'
import { PrivateDirectory } from '../filesystem/private-directory.ts'
import { UntrustedError } from '../filesystem/untrusted.ts'
import { foreignHandOnNames } from '../util/foreign-hand.ts'
import { temporaryPlace } from '../util/temporary-place.ts'
import type { TlsFiles } from '../util/tls-files.ts'
import { digestOf, formatKeptList, formsOf, type KeptList, listName, readKeptList } from './kept-list.ts'
import { secretsDirectory } from './private-files.ts'

const parts = { caFile: 'ca.pem', cert: 'cert.pem', key: 'key.pem' } as const

/**
 * Copies the certificates of a run to where they stay after this process: one directory for each scheduler file, so that those of
 * a later run take the place of those of an earlier one. What is there and was not written by this function is left alone.
 *
 * @param schedulerFile its absolute path
 * @throws RunnerError ERR_ENVIRONMENT where that is not possible.
 */
export async function keepFiles(files: Required<TlsFiles>, schedulerFile: string): Promise<Required<TlsFiles>> {
  const path = join(await place(), nameFor(schedulerFile))
  const directory = new PrivateDirectory(path)
  try {
    if (!(await directory.make())) throw new Error('there is no directory above it')
    const old = await readKeptList(directory, schedulerFile)
    await refuseOtherFiles(directory, formsOf(old, Object.values(parts)))
    const texts = await textsOf(files)
    const list: KeptList = {
      schedulerFile,
      files: Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, [digestOf(text)]])),
    }
    // Before the files: wherever this is cut off, what is there stands in the list.
    await directory.put(listName, formatKeptList(list, old))
    for (const [name, text] of Object.entries(texts)) await directory.put(name, text)
    await directory.put(listName, formatKeptList(list))
  } catch (cause) {
    throw new RunnerError(
      `Cannot keep the certificates of the run in "${path}": ${messageOf(cause)}; name another directory in XDG_RUNTIME_DIR`,
      { code: 'ERR_ENVIRONMENT', cause },
    )
  }
  return { caFile: join(path, parts.caFile), cert: join(path, parts.cert), key: join(path, parts.key) }
}

async function textsOf(files: Required<TlsFiles>): Promise<Record<string, string>> {
  const read = Object.entries(parts).map(async ([part, name]) => {
    return [name, await readFile(files[part as keyof typeof parts], 'utf8')] as const
  })
  return Object.fromEntries(await Promise.all(read))
}

/** Where {@link keepFiles} may have kept something for a scheduler file. */
export async function keptDirectories(schedulerFile: string): Promise<readonly string[]> {
  const parents = [await place(), await secretsDirectory(), (await temporaryPlace()).path]
  return [...new Set(parents)].map((parent) => join(parent, nameFor(schedulerFile)))
}

/**
 * Removes what {@link keepFiles} has kept for a scheduler file: files that its list names, and that say what it says.
 *
 * @returns the directories that are gone
 */
export async function removeKept(schedulerFile: string): Promise<readonly string[]> {
  const gone: string[] = []
  for (const path of await keptDirectories(schedulerFile)) {
    const directory = new PrivateDirectory(path)
    try {
      const list = await readKeptList(directory, schedulerFile)
      if (list === undefined) continue
      const forms = formsOf(list, Object.values(parts))
      // The list goes last, so that what an interrupted process leaves can be removed later.
      await removeKnownFiles(directory, forms, (name) => name !== listName)
      if ((await directory.list()).every((name) => name === listName)) await removeKnownFiles(directory, forms)
      if (await directory.removeIfEmpty()) gone.push(path)
    } catch (error) {
      // It is not ours.
      if (!(error instanceof UntrustedError)) throw error
    }
  }
  return gone
}

/** The directory of this login, where it is ours and nobody else enters it; else where secrets of this node are kept. */
async function place(): Promise<string> {
  const login = process.env.XDG_RUNTIME_DIR ?? ''
  try {
    await new PrivateDirectory(login).identify()
    await access(login, constants.W_OK | constants.X_OK)
    if ((await foreignHandOnNames(login)) === undefined) return login
  } catch {
    // There is none.
  }
  return await secretsDirectory()
}

function nameFor(schedulerFile: string): string {
  const word = createHash('sha256').update(schedulerFile).digest('hex').slice(0, 16)
  return `dask-hpc-runner-env-${process.geteuid?.() ?? 0}-${word}`
}
