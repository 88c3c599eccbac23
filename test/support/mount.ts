import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { errnoOf } from '../../src/errors.ts'

const run = promisify(execFile)

/** Only root can mount; what root may write is not decided by permissions. */
export const canMount = process.platform === 'linux' && process.getuid?.() === 0

/** A filesystem in memory, mounted on a directory of a test until the end of its scope. */
export class MountedMemory implements AsyncDisposable {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  /** Mounts a filesystem of 64 KiB on `directory`, which is made. */
  static async on(directory: string): Promise<MountedMemory> {
    await mkdir(directory)
    await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory])
    return new MountedMemory(directory)
  }

  /** Nothing can be written any more. */
  async makeReadOnly(): Promise<void> {
    await run('mount', ['-o', 'remount,ro', this.#directory])
  }

  /** Not a byte more has room. */
  async fill(): Promise<void> {
    const page = Buffer.alloc(4096)
    for (let i = 0; ; i++) {
      try {
        await writeFile(join(this.#directory, `full-${i}`), page)
      } catch (error) {
        if (errnoOf(error) === 'ENOSPC') return
        throw error
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('umount', ['--lazy', this.#directory])
  }
}

/** Whether something is mounted on `directory`. */
export async function isMounted(directory: string): Promise<boolean> {
  return (await readFile('/proc/self/mounts', 'utf8')).split('\n').some((line) => line.split(' ')[1] === directory)
}
