import { randomUUID } from 'node:crypto'
import { accessSync, constants, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, RunnerError } from '../errors.ts'
import { foreignHandOnNames } from '../util/foreign-hand.ts'
import { type DirectoryKeeper, makeOwnDirectory, type OwnDirectory } from '../util/own-directory.ts'
import { temporaryPlace } from '../util/temporary-place.ts'
import type { TlsFiles, TlsMaterial } from '../util/tls-files.ts'
import { writeNew } from '../util/write-new.ts'

/** `f_type` of a filesystem in memory (statfs(2)). */
const tmpfs = 0x0102_1994

/** What certificate, key and authority take with their directory, and more. In bytes. */
const room = 65_536

/**
 * Where secrets of this node are kept: in memory where that can be, which nothing copies. Jobs before this one may have filled it,
 * and in a container it may be one in which others can rename what is ours.
 */
export async function secretsDirectory(memory = '/dev/shm'): Promise<string> {
  try {
    accessSync(memory, constants.W_OK | constants.X_OK)
    const { type, bavail, bsize } = statfsSync(memory)
    if (type === tmpfs && bavail * bsize >= room && (await foreignHandOnNames(memory)) === undefined) return memory
  } catch {
    // There is none.
  }
  return (await temporaryPlace()).path
}

/** The certificates of a run on this node: where they will be is known before they are there. */
export class PrivateFiles {
  readonly files: Required<TlsFiles>
  readonly #directory: string
  #written: Promise<OwnDirectory> | undefined

  /**
   * @param name tells whose they are
   * @throws RunnerError ERR_ENVIRONMENT where there is no place for them.
   */
  static async named(name: string): Promise<PrivateFiles> {
    return new PrivateFiles(name, await secretsDirectory())
  }

  private constructor(name: string, parent: string) {
    this.#directory = join(parent, `dask-hpc-runner-${name}-tls-${randomUUID().slice(0, 8)}`)
    const path = (part: string): string => join(this.#directory, `${part}.pem`)
    this.files = { caFile: path('ca'), cert: path('cert'), key: path('key') }
  }

  /**
   * Writes them, once, for nobody else to read.
   *
   * @param keeper removes their directory
   * @throws RunnerError ERR_ENVIRONMENT where that is not possible.
   */
  async write(material: TlsMaterial, keeper: DirectoryKeeper): Promise<void> {
    this.#written ??= this.#write(material, keeper)
    await this.#written
  }

  async #write({ ca, cert, key }: TlsMaterial, keeper: DirectoryKeeper): Promise<OwnDirectory> {
    try {
      const directory = await makeOwnDirectory(this.#directory, keeper)
      await writeNew(this.files.caFile, ca, 0o600)
      await writeNew(this.files.cert, cert, 0o600)
      await writeNew(this.files.key, key, 0o600)
      return directory
    } catch (cause) {
      throw new RunnerError(
        `Cannot keep the certificates of the run in "${this.#directory}": ${messageOf(cause)}; set TMPDIR to a directory of the node`,
        { code: 'ERR_ENVIRONMENT', cause },
      )
    }
  }
}
