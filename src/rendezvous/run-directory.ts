import { lstat, mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as z from 'zod/mini'
import { errnoOf } from '../errors.ts'
import { type ClusterRecord, clusterRecordSchema } from '../record/cluster-record.ts'
import { parseSchedulerFile } from '../record/parse.ts'
import type { PublishedFile, SchedulerFile } from '../record/scheduler-file.ts'
import { type OutcomeRecord, outcomeRecordSchema } from '../record/outcome-record.ts'
import { cannotPublish, refusal } from './cannot-publish.ts'
import { listDirectory } from './list.ts'
import { departureName, gathererName, isTemporaryName, outcomeName, recordName, type RendezvousPaths } from './names.ts'
import { newsPortName } from './news-port.ts'
import { presenceName } from './presence.ts'
import { remove } from './remove.ts'

/** Names of the files that stand for an outcome that could not be written: see outcome.ts. */
export const noteName = /^failed-\d+-[A-Za-z0-9-]+$/

/**
 * Makes a run's own directory, with what directories above it are missing; that it exists is fine.
 *
 * @throws RunnerError ERR_CANNOT_PUBLISH, with the path and the cause in words.
 */
export async function makeRunDirectory({ runDirectory }: RendezvousPaths): Promise<void> {
  try {
    if (await makeOwn(runDirectory)) return
    await makeDirectories(dirname(runDirectory))
    if (await makeOwn(runDirectory)) return
    throw refusal(runDirectory, 'its directory is being removed while the run starts')
  } catch (error) {
    throw cannotPublish(runDirectory, error)
  }
}

/**
 * Makes a directory and those above it. (Node's own recursive mkdir tries for ever where a directory
 * exists in which nothing can be made, such as /proc.)
 */
async function makeDirectories(path: string): Promise<void> {
  const make = async (): Promise<void> => {
    await mkdir(path).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error
    })
  }
  try {
    await make()
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeDirectories(dirname(path))
    await make()
  }
}

/** Whether the directory is there now; false where the one above is missing. */
async function makeOwn(path: string): Promise<boolean> {
  try {
    // It is made without looking first: a network filesystem would remember that it was missing.
    await mkdir(path, { mode: 0o700 })
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    if (errnoOf(error) !== 'EEXIST') throw error
    if (!(await lstat(path)).isDirectory()) throw refusal(path, 'a file is in its place; remove it')
    return true
  }
}

/** The published file in `text`, or undefined where it is none (yet). */
export function readPublished(text: string): PublishedFile | undefined {
  const parsed = parseSchedulerFile(text)
  return parsed.kind === 'valid' && isPublished(parsed.file) ? parsed.file : undefined
}

function isPublished(file: SchedulerFile): file is PublishedFile {
  return file.dask_hpc_runner !== undefined
}

/** The record of process 0 in `text`, or undefined where it is none (yet). */
export function readGatherer(text: string): ClusterRecord | undefined {
  return parseAs(clusterRecordSchema, text)
}

/** The outcome in `text`, or undefined where it is none (yet). */
export function readOutcome(text: string): OutcomeRecord | undefined {
  return parseAs(outcomeRecordSchema, text)
}

function parseAs<T>(schema: z.ZodMiniType<T>, text: string): T | undefined {
  try {
    const parsed = z.safeParse(schema, JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** The text of a file, or undefined where it is gone. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Removes the files of a run from its directory, and no others; that it is gone is fine.
 *
 * @param keeps says which of them stay.
 */
export async function emptyRunDirectory(directory: string, keeps: (name: string) => boolean): Promise<void> {
  try {
    const names = await listDirectory(directory)
    await Promise.all(
      names.filter((name) => isRunFile(name) && !keeps(name)).map(async (name) => remove(directory, name)),
    )
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

const ownNames = [gathererName, recordName, outcomeName]

function isRunFile(name: string): boolean {
  return (
    ownNames.includes(name) ||
    noteName.test(name) ||
    departureName.test(name) ||
    /^\.gone-\d+\..*\.tmp$/.test(name) ||
    presenceName.test(name) ||
    newsPortName.test(name) ||
    ownNames.some((own) => isTemporaryName(name, own))
  )
}

/** The run whose record stands in a run's directory, if any: that of its cluster, else that of its process 0. */
export async function ownerOfDirectory(directory: string): Promise<ClusterRecord | undefined> {
  const record = await readIfThere(join(directory, recordName))
  if (record !== undefined) return readPublished(record)?.dask_hpc_runner
  const gatherer = await readIfThere(join(directory, gathererName))
  return gatherer === undefined ? undefined : readGatherer(gatherer)
}
