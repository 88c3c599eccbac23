import { basename, dirname } from 'node:path'
import { errnoOf } from '../../errors.ts'
import { listDirectory } from '../../filesystem/list.ts'
import { PrivateDirectory } from '../../filesystem/private-directory.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import type { OutcomeRecord } from '../../record/outcome-record.ts'
import { coordinatorName, outcomeName, rendezvousPaths, runKeyOf } from '../../rendezvous/file/names.ts'
import { readCoordinator, readOutcome } from '../../rendezvous/file/run-directory.ts'

/** What a run that is to publish at the path of a scheduler file has left in its directory beside it. */
export interface StartingRunFiles {
  /** Where its rank 0 listens. */
  readonly coordinator?: ClusterRecord | undefined
  readonly outcome?: OutcomeRecord | undefined
}

/** Keys of the runs that have a directory beside a scheduler file. */
export async function listRuns(schedulerFile: string): Promise<readonly string[]> {
  const names = await listDirectory(dirname(schedulerFile)).catch(noneWhereMissing)
  return names.flatMap((name) => runKeyOf(name, basename(schedulerFile)) ?? [])
}

function noneWhereMissing(error: unknown): string[] {
  if (errnoOf(error) === 'ENOENT') return []
  throw error
}

/**
 * Reads once what a run has left in its directory. That of a run which only adds workers to a cluster is nobody's word
 * of the cluster, and nothing that cannot be read is.
 */
export async function readStartingRun(schedulerFile: string, runKey: string): Promise<StartingRunFiles> {
  const directory = new PrivateDirectory(rendezvousPaths(schedulerFile, runKey).runDirectory)
  const names = await directory.list()
  const read = async (name: string): Promise<string> => (names.includes(name) ? await directory.read(name) : '') ?? ''
  const outcome = readOutcome(await read(outcomeName))
  const coordinator = readCoordinator(await read(coordinatorName))
  return {
    ...(outcome?.run_key === runKey && outcome.adds_workers !== true && { outcome }),
    ...(coordinator?.run_key === runKey && coordinator.adds_workers !== true && { coordinator }),
  }
}
