import { keepFiles, keptDirectories, removeKept } from '../security/kept-files.ts'
import { withTwins } from '../util/container-twins.ts'
import { tlsEnvironment, type TlsFiles } from '../util/tls-files.ts'
import { needCluster } from './cluster/find.ts'
import type { FindOptions } from './cluster/no-cluster.ts'
import type { Target } from './cluster/target.ts'

/** How a program that is no part of a run finds its cluster. */
export interface JoinEnvironment {
  readonly schedulerAddress: string
  /** Undefined where the cluster was named by its address. */
  readonly schedulerFile: string | undefined
  readonly tls: TlsFiles | undefined
  /** Whether the certificates were given by the run, and stay until somebody removes them. */
  readonly kept: boolean
}

/**
 * Looks for a cluster, and sees to it that the certificates for it stay when this process ends.
 *
 * @throws RunnerError ERR_UNAVAILABLE where there is none, ERR_TIMED_OUT where it does not answer, ERR_ENVIRONMENT where it
 * needs certificates that are not there or cannot be kept.
 */
export async function joinEnvironment(target: Target, options: FindOptions): Promise<JoinEnvironment> {
  const { client, file, tls } = await needCluster(target, 'Cannot ask', options)
  const { address } = client
  client.close()
  const schedulerFile = 'path' in target ? target.path : undefined
  const place = { schedulerAddress: address, schedulerFile }
  if (tls === undefined || schedulerFile === undefined || file?.dask_hpc_runner?.secure !== true)
    return { ...place, tls, kept: false }
  const { caFile, cert, key = cert } = tls
  return { ...place, tls: await keepFiles({ caFile, cert, key }, schedulerFile), kept: true }
}

/** The variables by which a plain `Client()` finds it, in a container that is started there, too. */
export function joinVariables({ schedulerAddress, schedulerFile, tls }: JoinEnvironment): Record<string, string> {
  return withTwins({
    DASK_SCHEDULER_ADDRESS: schedulerAddress,
    ...(schedulerFile !== undefined && { DASK_HPC_RUNNER_SCHEDULER_FILE: schedulerFile }),
    ...(tls !== undefined && tlsEnvironment(tls)),
  })
}

/**
 * Removes the certificates that were kept for a scheduler file.
 *
 * @returns the directories that are gone, and all in which there may have been some
 */
export async function forgetCertificates(
  schedulerFile: string,
): Promise<{ readonly gone: readonly string[]; readonly all: readonly string[] }> {
  return { gone: await removeKept(schedulerFile), all: await keptDirectories(schedulerFile) }
}
