import { PrivateDirectory } from '../../filesystem/private-directory.ts'
import { UntrustedError } from '../../filesystem/untrusted.ts'
import { messageOf } from '../../errors.ts'
import { readClaim } from '../../rendezvous/claim-file.ts'
import { gathererName, outcomeName, rendezvousPaths } from '../../rendezvous/names.ts'
import { readGatherer } from '../../rendezvous/run-directory.ts'
import type { Contents } from './read-path.ts'

/**
 * Reads once where process 0 of the run is that holds the path of a scheduler file: its record, which it leaves in the
 * run's directory before there is a cluster. The claim says which run that is, so that the directory of an earlier run, or
 * of one that only adds workers, is left alone.
 */
export async function readStartingRun(schedulerFile: string): Promise<Contents> {
  try {
    const owner = await readClaim(rendezvousPaths(schedulerFile, ''))
    if (owner === undefined) return { kind: 'missing', why: 'no run holds the path' }
    const { runDirectory } = rendezvousPaths(schedulerFile, owner.run_key)
    const text = (await new PrivateDirectory(runDirectory).read(gathererName)) ?? ''
    if (readGatherer(text)?.nonce === owner.nonce) return { kind: 'text', text }
    return { kind: 'missing', why: `its process 0 has not told where it is` }
  } catch (error) {
    return whyNot(error)
  }
}

/** Reads once how a run has ended, from its directory beside the scheduler file. */
export async function readOutcomeOf(schedulerFile: string, runKey: string): Promise<Contents> {
  try {
    const text = await new PrivateDirectory(rendezvousPaths(schedulerFile, runKey).runDirectory).read(outcomeName)
    return text === undefined ? { kind: 'missing', why: 'it has not ended' } : { kind: 'text', text }
  } catch (error) {
    return whyNot(error)
  }
}

function whyNot(error: unknown): Contents {
  return { kind: error instanceof UntrustedError ? 'foreign' : 'silent', why: messageOf(error) }
}
