import { dirname } from 'node:path'
import * as z from 'zod/mini'
import type { PrivateDirectory } from '../filesystem/private-directory.ts'
import { makeDirectories } from '../filesystem/make-directories.ts'
import type { FileForms } from '../filesystem/known-files.ts'
import { isTemporaryName } from '../filesystem/temporary-name.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import { parseSchedulerFile } from '../record/parse.ts'
import type { PublishedFile, SchedulerFile } from '../record/scheduler-file.ts'
import type { OutcomeRecord } from '../record/outcome-record.ts'
import { cannotPublish, refusal } from './cannot-publish.ts'
import { parseDeparture } from './departures.ts'
import { departureName, gathererName, outcomeName, recordName } from './names.ts'
import { presenceName } from './presence.ts'
import { clusterRecordSchema, outcomeRecordSchema } from '../record/schemas.ts'

/** Names of the files that stand for an outcome that could not be written: see outcome.ts. */
export const noteName = /^failed-(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])-[A-Za-z0-9-]+$/

/**
 * Makes a run's own directory, with what directories above it are missing; that it exists is fine.
 *
 * @throws RunnerError ERR_CANNOT_PUBLISH, with the path and the cause in words.
 */
export async function makeRunDirectory(directory: PrivateDirectory): Promise<void> {
  const { path } = directory
  try {
    if (await directory.make()) return
    await makeDirectories(dirname(path))
    if (await directory.make()) return
    throw refusal(path, 'its directory is being removed while the run starts')
  } catch (error) {
    throw cannotPublish(path, error)
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

/** The files that a run makes in its directory. */
export const runFiles: FileForms = {
  parserOf: (name) => (departureName.test(name) ? parseDeparture : parsers.get(name)),
  isEmpty: (name) => [noteName, presenceName].some((pattern) => pattern.test(name)),
  isTemporary: (name) =>
    [...recordNames, /^\.(gone-\d+)\./.exec(name)?.[1] ?? ''].some((base) => isTemporaryName(name, base)),
}

const parsers: ReadonlyMap<string, (text: string) => unknown> = new Map<string, (text: string) => unknown>([
  [gathererName, readGatherer],
  [recordName, readPublished],
  [outcomeName, readOutcome],
])

/** The files of process 0. */
const recordNames = [gathererName, recordName, outcomeName]

/** The run whose record stands in a run's directory, if any: that of its cluster, else that of its process 0. */
export async function ownerOfDirectory(directory: PrivateDirectory): Promise<ClusterRecord | undefined> {
  const record = await directory.read(recordName)
  if (record !== undefined) return readPublished(record)?.dask_hpc_runner
  const gatherer = await directory.read(gathererName)
  return gatherer === undefined ? undefined : readGatherer(gatherer)
}
