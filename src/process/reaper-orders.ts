import { join } from 'node:path'
import type { OwnDirectory } from '../util/own-directory.ts'

// The orders of reaper.sh, each without the end of its line.

/** `+` for a process group that is killed at once, `~` for one that is given time to end. */
export function groupOrder(sign: '+' | '~' | '-', pgid: number): string {
  return `${sign} ${pgid}`
}

export function directoryOrder({ path, inode }: OwnDirectory): string {
  return `d ${inode} ${encodePath(path)}`
}

/** For a directory that is about to be made. */
export function expectedOrder(path: string): string {
  return `e ${encodePath(path)}`
}

export function fileOrder(path: string, word: string): string {
  return `f ${word} ${encodePath(path)}`
}

/** An empty file to make in a directory of a run. */
export interface EndMarker {
  readonly directory: OwnDirectory
  readonly name: string
}

/** Undefined takes the marker back. */
export function endMarkerOrder(endMarker: EndMarker | undefined): string {
  return endMarker === undefined
    ? 'n'
    : `n ${endMarker.directory.inode} ${encodePath(join(endMarker.directory.path, endMarker.name))}`
}

/** Undefined takes the lock back. */
export function lockOrder(directory: string | undefined): string {
  return directory === undefined ? 'l' : `l ${encodePath(directory)}`
}

/** A path as one word without a space or a line end: `printf %b` of a shell gives it back. */
export function encodePath(path: string): string {
  return Array.from(Buffer.from(path), encodeByte).join('')
}

function encodeByte(byte: number): string {
  const char = String.fromCharCode(byte)
  return /[A-Za-z0-9._/-]/.test(char) ? char : `\\0${byte.toString(8).padStart(3, '0')}`
}
