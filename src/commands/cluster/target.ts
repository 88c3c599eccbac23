import { RunnerError } from '../../errors.ts'
import { jobAround } from '../../runners/variables/systems.ts'
import { nameOf } from '../../options.ts'
import type { NameOf } from '../../options/complete.ts'
import { type TlsFiles, tlsFromEnvironment } from '../../util/tls-files.ts'
import { absolutePath } from '../../util/surroundings.ts'
import type { LookTarget } from './look.ts'

/** How the user names a running cluster. */
export interface TargetOptions {
  /** Path of its scheduler file. */
  readonly schedulerFile?: string | undefined
  /** The scheduler's address, in place of a file. */
  readonly scheduler?: string | undefined
  /** PEM files for `tls://`. @default those of Dask's own environment variables */
  readonly tlsCaFile?: string | undefined
  readonly tlsCert?: string | undefined
  /** @default in the file of the certificate */
  readonly tlsKey?: string | undefined
  /** By option, the flag or the variable that had it. @default its flag */
  readonly sources?: Readonly<Record<string, string>>
}

/** A cluster by its scheduler file, whose path is absolute, or by its scheduler's address. */
export type Target = (FileTarget | { readonly address: string }) & { readonly tls?: TlsFiles }

interface FileTarget extends LookTarget {
  /** It is that of the run whose client program has called us: the scheduler may be only starting. @default false */
  readonly isOwnRun?: boolean
}

/**
 * What the user's options and environment name.
 *
 * @throws RangeError where they name nothing, or contradict each other.
 */
export function completeTarget(options: TargetOptions, env: NodeJS.ProcessEnv): Target {
  const { schedulerFile, scheduler, sources = {} } = options
  const name = (option: string): string => nameOf({ sources }, option)
  const tls = completeTls(options, env, name)
  const typed = { file: sources.schedulerFile === '--scheduler-file', address: sources.scheduler === '--scheduler' }
  if (schedulerFile !== undefined && scheduler !== undefined && typed.file === typed.address)
    throw new RangeError(`Cannot use ${name('scheduler')} and ${name('schedulerFile')} together: leave one of them out`)
  if (scheduler !== undefined && !typed.file) return { address: scheduler, ...tls }
  if (schedulerFile === undefined)
    throw new RangeError('Cannot look for a cluster: name its --scheduler-file, or set DASK_HPC_RUNNER_SCHEDULER_FILE')
  const path = absolutePath(fillInJob(schedulerFile, env, name('schedulerFile')))
  const isOwnRun = env.DASK_HPC_RUNNER_SCHEDULER_FILE === path && env.DASK_HPC_RUNNER_N_WORKERS !== undefined
  return { path, ...(isOwnRun && { isOwnRun }), ...tls }
}

/** The target in messages: `"/scratch/F.json"`, or the address. */
export function formatTarget(target: Target): string {
  return 'path' in target ? `"${target.path}"` : target.address
}

/** Certificates for `address`, where it needs any. */
export function tlsFor(address: string, { tls }: Target): { readonly tls?: TlsFiles } {
  if (!address.startsWith('tls://')) return {}
  if (tls !== undefined) return { tls }
  throw new RunnerError(
    `Cannot connect to ${address}: TLS needs a certificate; name --tls-ca-file, --tls-cert and --tls-key, ` +
      "or set Dask's DASK_DISTRIBUTED__COMM__TLS__… variables",
    { code: 'ERR_ENVIRONMENT' },
  )
}

function completeTls(options: TargetOptions, env: NodeJS.ProcessEnv, name: NameOf): { readonly tls?: TlsFiles } {
  const known: Partial<TlsFiles> = tlsFromEnvironment(env) ?? {}
  const { tlsCaFile: caFile = known.caFile, tlsCert: cert = known.cert } = options
  // A key goes with its certificate, wherever that comes from.
  const key = options.tlsKey ?? (options.tlsCert === undefined ? known.key : undefined)
  if (caFile === undefined && cert === undefined && key === undefined) return {}
  if (caFile === undefined || cert === undefined)
    throw new RangeError(`Cannot use TLS: ${name('tlsCaFile')} and ${name('tlsCert')} are both needed`)
  return {
    tls: {
      caFile: absolutePath(caFile),
      cert: absolutePath(cert),
      ...(key === undefined ? {} : { key: absolutePath(key) }),
    },
  }
}

/** The placeholders of `run` that a batch script can fill in too: a step's number it cannot know. */
function fillInJob(path: string, env: NodeJS.ProcessEnv, name: string): string {
  const job = jobAround(env)
  const values = {
    '{job_id}': env.SLURM_JOB_ID ?? job?.id,
    '{restart}': env.SLURM_RESTART_COUNT ?? String(job?.restart ?? 0),
    '{step_id}': undefined,
  }
  return Object.entries(values).reduce((text, [placeholder, value]) => {
    if (!text.includes(placeholder)) return text
    if (value === undefined)
      throw new RangeError(`Cannot use ${name} "${path}": ${placeholder} is not known here; write it out`)
    return text.replaceAll(placeholder, value)
  }, path)
}
