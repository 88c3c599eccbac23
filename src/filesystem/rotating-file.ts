import { closeSync, constants, fchmodSync, fstatSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import { errnoOf } from '../errors.ts'
import { formatKind, ownUid, UntrustedError } from './untrusted.ts'

// Without O_NONBLOCK a named pipe would hold us until somebody reads it.
const flags =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK |
  constants.O_NOCTTY

/** How often it is looked whether the file still stands there. In milliseconds. */
const lookIntervalMs = 1_000

const lineEnd = Buffer.from('\n')

interface OpenFile {
  readonly fd: number
  readonly inode: bigint
  size: number
}

/**
 * A file of this user alone that lines are added to, and that never takes more than a limit, with the one before it: at half of
 * the limit it is renamed to `PATH.1`, in the place of the one before. Each call waits for the filesystem.
 */
export class RotatingFile {
  readonly path: string
  readonly #half: number
  #open: OpenFile | undefined
  #looked = 0

  /** @param limit of both files together, in bytes */
  constructor(path: string, limit: number) {
    this.path = path
    this.#half = Math.floor(limit / 2)
  }

  /**
   * Adds whole lines. The end of one that is longer than half of the limit is cut off.
   *
   * @throws a system error, or UntrustedError where something else stands there. The next lines are tried again.
   */
  add(lines: Buffer): void {
    let bytes = lines
    if (this.#open !== undefined && !this.#stands(this.#open)) this.close()
    while (bytes.length > 0) {
      const file = (this.#open ??= this.#openFile())
      const fitting = wholeLines(bytes, this.#half - file.size)
      if (fitting > 0) {
        write(file, bytes.subarray(0, fitting))
        bytes = bytes.subarray(fitting)
      } else if (file.size > 0) this.#rotate(file)
      else {
        write(file, bytes.subarray(0, this.#half - 1))
        write(file, lineEnd)
        bytes = bytes.subarray(bytes.indexOf(lineEnd) + 1)
      }
    }
  }

  #rotate(file: OpenFile): void {
    if (this.#isAtPath(file)) renameSync(this.path, `${this.path}.1`)
    this.close()
  }

  /** May be called twice, and be opened anew by the next line. */
  close(): void {
    const file = this.#open
    this.#open = undefined
    if (file !== undefined) closeSync(file.fd)
  }

  /** Whether the file that is open is the one at the path: somebody may have removed it, or its directory. */
  #stands(file: OpenFile): boolean {
    const now = performance.now()
    if (now - this.#looked < lookIntervalMs) return true
    this.#looked = now
    return this.#isAtPath(file)
  }

  #isAtPath({ inode }: OpenFile): boolean {
    return statSync(this.path, { bigint: true, throwIfNoEntry: false })?.ino === inode
  }

  #openFile(): OpenFile {
    const fd = openNamed(this.path)
    try {
      const found = fstatSync(fd, { bigint: true })
      if (!found.isFile()) throw new UntrustedError(`it is ${formatKind(found)}, not a regular file`)
      if (Number(found.uid) !== ownUid()) throw new UntrustedError('it belongs to somebody else')
      if (found.nlink > 1n) throw new UntrustedError('it has a second name')
      fchmodSync(fd, 0o600)
      return { fd, inode: found.ino, size: Number(found.size) }
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }
}

/** How many of these bytes are whole lines that find room. */
function wholeLines(bytes: Buffer, room: number): number {
  if (bytes.length <= room) return bytes.length
  return room <= 0 ? 0 : bytes.lastIndexOf(lineEnd, room - 1) + 1
}

function write(file: OpenFile, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) {
    const written = writeSync(file.fd, bytes, done)
    done += written
    file.size += written
  }
}

function openNamed(path: string): number {
  try {
    return openSync(path, flags, 0o600)
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') throw new UntrustedError('it is a symbolic link', { cause: error })
    if (errnoOf(error) === 'ENXIO') throw new UntrustedError('it is a named pipe or a device', { cause: error })
    throw error
  }
}
