import { ControlClient } from '../control/control-client.ts'
import { RunnerError } from '../errors.ts'
import { formatRunKey } from '../identity/run-key.ts'
import type { Identity } from '../identity/identity.ts'
import { jobEndOf } from '../identity/job-end.ts'
import { type CompleteOptions, nameOf } from '../options.ts'
import type { Reaper } from '../process/reaper.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import { PrivateFiles } from '../security/private-files.ts'
import type { TlsMaterial } from '../util/tls-files.ts'
import type { RunContext } from '../identity/run-context.ts'

/** How long rank 0 of another run may take to give its certificates. In milliseconds. */
const askTimeout = 10_000

/** The certificates of a run with `--secure`: made by rank 0, and kept by each process for its own. */
export class SecureRun {
  readonly #files: PrivateFiles
  readonly #reaper: Reaper

  private constructor(files: PrivateFiles, reaper: Reaper) {
    this.#files = files
    this.#reaper = reaper
  }

  /** Undefined where the run is none. */
  static async of(
    { secure }: CompleteOptions,
    { runKey, rank }: Identity,
    reaper: Reaper,
  ): Promise<SecureRun | undefined> {
    if (!secure) return undefined
    return new SecureRun(await PrivateFiles.named(`${formatRunKey(runKey)}-${rank}`), reaper)
  }

  /** The options of the run, as if the certificates were the user's own: they will be in these files. */
  optionsFor(options: CompleteOptions): CompleteOptions {
    const { caFile, cert, key } = this.#files.files
    return Object.freeze({ ...options, protocol: 'tls', tlsCaFile: caFile, tlsCert: cert, tlsKey: key })
  }

  /** Rank 0 makes them. */
  async make({ identity, options }: RunContext): Promise<TlsMaterial> {
    const { makeRunCertificates } = await import('../security/run-certificates.ts')
    return await makeRunCertificates(formatRunKey(identity.runKey), jobEndOf(options.env))
  }

  /** Writes them where {@link optionsFor} says. @throws RunnerError ERR_ENVIRONMENT */
  async keep(material: TlsMaterial): Promise<void> {
    await this.#files.write(material, this.#reaper)
  }
}

/**
 * The certificates of a run that this one adds workers to.
 *
 * @throws RunnerError ERR_ENVIRONMENT where it has none to give, or as {@link ControlClient} does.
 */
export async function certificatesOfOther(
  file: SchedulerFile,
  { options, signal }: Pick<RunContext, 'options' | 'signal'>,
): Promise<TlsMaterial> {
  const record = file.dask_hpc_runner
  if (record?.secure !== true)
    throw new RunnerError(
      `Cannot join the cluster at ${file.address} with ${nameOf(options, 'secure')}: it was not started with it; ` +
        'say --no-secure, or name its own certificates by --tls-ca-file, --tls-cert and --tls-key',
      { code: 'ERR_ENVIRONMENT' },
    )
  using client = await ControlClient.open(record, { signal })
  return await client.certificates({ timeout: askTimeout, signal })
}
