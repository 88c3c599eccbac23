import { defaults } from '../../defaults.ts'
import { RunnerError } from '../../errors.ts'
import { isLocalFilesystem } from '../../filesystem/local-filesystem.ts'

/**
 * The error of a process that has for long seen nothing of the other hosts in the run's directory, where that is on a
 * filesystem of a local kind, such as a host's own /tmp. Undefined where it may be shared.
 */
export async function notSharedError(directory: string, node: string): Promise<RunnerError | undefined> {
  if (!(await isLocalFilesystem(directory))) return undefined
  return new RunnerError(
    `Cannot meet the processes of other nodes in "${directory}": it is on a local filesystem of ${node}, and in ` +
      `${defaults.notSharedAfterMs / 1000} s none of them has come there; name a scheduler file in a directory that all nodes share`,
    { code: 'ERR_CANNOT_PUBLISH' },
  )
}
