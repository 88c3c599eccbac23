import { type BigIntStats, closeSync, constants, existsSync, fstatSync, openSync } from 'node:fs'
import { chmod, lstat, mkdir, open, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../errors.ts'
import { monotonic } from '../util/monotonic.ts'
import type { DirectoryKeeper, OwnDirectory } from '../util/own-directory.ts'
import { sleep } from '../util/wait.ts'
import { writeNew } from '../util/write-new.ts'
import { type Created, createFile } from './create-file.ts'
import { listDirectory } from './list.ts'
import { readOwn } from './read-own.ts'
import { replaceFile } from './replace-file.ts'
import { formatForeign, formatKind, formatMode, UntrustedError, ownUid } from './untrusted.ts'

/** Linux: a handle that stands for the directory and reads nothing of it, so that it costs a server no more than a look. */
const O_PATH = process.platform === 'linux' ? 0o10000000 : constants.O_RDONLY
const flags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** Where the handles of this process can be used as the beginning of a path: on Linux, where /proc is mounted. */
const handles = '/proc/self/fd'

/** How long another process of this user may take to mend the mode of a directory that it has made. In milliseconds. */
const mending = 1_000

/**
 * A directory that is this user's alone: a real one, which belongs to this user, with no permission for
 * anybody else. That is looked at anew for each use, and whether it is still the one of the first use: whoever
 * may write in the directory above can put another one in its place at any time. A use goes through a handle,
 * so that what was looked at is what is used. (Where there is no /proc it goes by the path, right after the look.)
 */
export class PrivateDirectory {
  readonly path: string
  #inode: string | undefined

  constructor(path: string) {
    this.path = path
  }

  /**
   * Makes it, where it is not there yet.
   *
   * @param keeper removes it at the end of this process, if it was made now. @default it stays
   * @returns false where there is no directory above it.
   * @throws UntrustedError where what is there is not ours alone, or a system error.
   */
  async make(keeper?: DirectoryKeeper): Promise<boolean> {
    const end = monotonic() + mending
    let isNew = false
    for (;;) {
      keeper?.expectDirectory(this.path)
      const made = await this.#make()
      if (made === 'nowhere') return false
      isNew ||= made === 'new'
      try {
        if (made === 'new') await this.#makePrivate()
        const own = await this.identify()
        if (isNew) keeper?.addDirectory(own)
        return true
      } catch (error) {
        const mayPass = errnoOf(error) === 'ENOENT' || (error instanceof UntrustedError && error.mayPass)
        if (!mayPass || monotonic() > end) {
          // Where its filesystem knows no modes: nothing of ours stays.
          if (isNew) await rmdir(this.path).catch(() => undefined)
          throw error
        }
      }
      await sleep(50)
    }
  }

  /** Which directory it is. @throws like {@link use}. */
  async identify(): Promise<OwnDirectory> {
    await this.#look()
    return { path: this.path, inode: this.#inode ?? '' }
  }

  /** The names in it. @throws like {@link use}. */
  async list(): Promise<string[]> {
    return await this.use(listDirectory)
  }

  /** The text of one of its files, which is as {@link readOwn} has it; undefined where there is none of that name. */
  async read(name: string): Promise<string | undefined> {
    try {
      return await this.use(async (at) => await readOwn(join(at, name)))
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  /** Puts a file into it, whole, in the place of one that may be there. */
  async put(name: string, text: string): Promise<void> {
    await this.use(async (at) => {
      await replaceFile(join(at, name), text)
    })
  }

  /** Puts a file into it, whole, where nothing of that name is there, as {@link createFile} does. */
  async create(name: string, text: string): Promise<Created> {
    return await this.use(async (at) => await createFile(join(at, name), text))
  }

  /** Leaves an empty file in it, of which only the name counts. What is there already is left as it is. */
  async leaveName(name: string): Promise<void> {
    try {
      await this.use(async (at) => {
        await writeNew(join(at, name), '', 0o600)
      })
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    }
  }

  /** Removes it where it is empty, and says whether it has gone. */
  async removeIfEmpty(): Promise<boolean> {
    try {
      await this.#look()
      await rmdir(this.path)
      return true
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return true
      if (['ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')) return false
      throw error
    }
  }

  /**
   * Looks at it, and calls `work` with a path at which its files are.
   *
   * @throws UntrustedError where what is there is not ours alone, or not what was there before; a system
   * error, such as ENOENT where nothing is there; or what `work` throws.
   */
  async use<T>(work: (at: string) => Promise<T>): Promise<T> {
    return await this.#opened(async (at, found) => {
      if (!isOwn(found)) throw new UntrustedError(await formatForeign(found))
      this.#check(found)
      return await work(at)
    })
  }

  /** {@link use} for a process that can wait for nothing. */
  useAtOnce(work: (at: string) => void): void {
    const fd = openSync(this.path, flags)
    try {
      const found = fstatSync(fd, { bigint: true })
      if (!isOwn(found)) throw new UntrustedError('it belongs to another user')
      this.#check(found)
      work(atHandle(fd) ?? this.path)
    } finally {
      closeSync(fd)
    }
  }

  /** Takes away what permissions it has inherited from the directory above, in spite of the mode that it was made with. */
  async #makePrivate(): Promise<void> {
    await this.#opened(async (at, found) => {
      if (isOwn(found) && !isPrivate(found)) await chmod(at, 0o700)
    })
  }

  async #look(): Promise<void> {
    await this.use(async () => {
      await Promise.resolve()
    })
  }

  #check(found: BigIntStats): void {
    if (!isPrivate(found))
      throw new UntrustedError(`its mode is ${formatMode(found)} and not 0700, so that others can use it`, {
        mayPass: true,
      })
    this.#inode ??= inodeOf(found)
    if (inodeOf(found) !== this.#inode) throw new UntrustedError('another directory has been put in its place')
  }

  /** Whether it was made now, or is there. */
  async #make(): Promise<'new' | 'there' | 'nowhere'> {
    try {
      // It is made without looking first: a network filesystem would remember that it was missing.
      await mkdir(this.path, { mode: 0o700 })
      return 'new'
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return 'nowhere'
      if (errnoOf(error) === 'EEXIST') return 'there'
      throw error
    }
  }

  async #opened<T>(work: (at: string, found: BigIntStats) => Promise<T>): Promise<T> {
    const handle = await open(this.path, flags).catch(async (error: unknown) => {
      throw (await whyNoDirectory(this.path)) ?? error
    })
    const at = atHandle(handle.fd) ?? this.path
    try {
      return await work(at, await handle.stat({ bigint: true }))
    } catch (error) {
      // People know it by its own path.
      if (error instanceof Error) error.message = error.message.replaceAll(at, this.path)
      throw error
    } finally {
      await handle.close()
    }
  }
}

function isOwn({ uid }: BigIntStats): boolean {
  return Number(uid) === ownUid()
}

function isPrivate({ mode }: BigIntStats): boolean {
  return (mode & 0o077n) === 0n
}

/** Its number on its filesystem, which may be greater than a number of JavaScript holds exactly. */
function inodeOf({ ino }: BigIntStats): string {
  return String(BigInt.asUintN(64, ino))
}

function atHandle(fd: number): string | undefined {
  return process.platform === 'linux' && existsSync(handles) ? `${handles}/${fd}` : undefined
}

async function whyNoDirectory(path: string): Promise<Error | undefined> {
  const found = await lstat(path).catch(() => undefined)
  return found === undefined || found.isDirectory()
    ? undefined
    : new UntrustedError(`${formatKind(found)} is in its place`)
}
