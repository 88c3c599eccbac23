import { promisify } from 'node:util'
import { printable } from '../util/printable.ts'

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
    const { stdout } = await promisify(execFile)('id', ['-nu', String(uid)], { timeout: nameTimeout, cwd: '/' })
    return `user ${printable(stdout.trim())}`
  } catch {
    return `the user with number ${uid}`
  }
}
