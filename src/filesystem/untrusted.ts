import type { BigIntStats, Stats } from 'node:fs'
import { promisify } from 'node:util'
import { printable } from '../util/printable.ts'
import { shellPath } from '../util/shell-path.ts'

/**
 * What stands at a path is not to be believed, followed or removed. The message goes on after the path:
 * `it belongs to user anna`.
 */
export class UntrustedError extends Error {
  override readonly name = 'UntrustedError'
  /** Whether it may be otherwise in a moment. */
  readonly mayPass: boolean

  constructor(message: string, options: { readonly cause?: unknown; readonly mayPass?: boolean } = {}) {
    super(message, options)
    this.mayPass = options.mayPass ?? false
  }
}

type FileKind = Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket'>
type Ownership = Pick<Stats | BigIntStats, 'uid' | 'mode'>

/** What kind of thing it is, in words: `a named pipe`. */
export function formatKind(found: FileKind): string {
  if (found.isFile()) return 'a file'
  if (found.isDirectory()) return 'a directory'
  if (found.isSymbolicLink()) return 'a symbolic link'
  if (found.isFIFO()) return 'a named pipe'
  if (found.isSocket()) return 'a socket'
  return 'a device'
}

/** That it belongs to somebody else, in words: `it belongs to user anna (mode 0755)`. */
export async function formatForeign(found: Ownership): Promise<string> {
  return `it belongs to ${await formatUser(Number(found.uid))} (mode ${formatMode(found)})`
}

/** Permissions as chmod has them: `0755`. */
export function formatMode({ mode }: Pick<Ownership, 'mode'>): string {
  return (Number(mode) & 0o7777).toString(8).padStart(4, '0')
}

/** The user as whom this process opens files: what belongs to another may be anybody's word. */
export function ownUid(): number {
  return process.geteuid?.() ?? -1
}

/** How long the machine may take to tell a name. In milliseconds. */
const nameTimeout = 2_000

/** A user in messages: `user anna`, or `the user with number 60602` where this machine knows no name. */
export async function formatUser(uid: number): Promise<string> {
  try {
    // Seldom needed, and every process would load it.
    const { execFile } = await import('node:child_process')
    // Names of a site are not in /etc/passwd: `id` asks whatever the machine asks.
    const { stdout } = await promisify(execFile)('id', ['-nu', String(uid)], {
      timeout: nameTimeout,
      cwd: '/',
      env: { PATH: shellPath() },
    })
    return `user ${printable(stdout.trim())}`
  } catch {
    return `the user with number ${uid}`
  }
}
