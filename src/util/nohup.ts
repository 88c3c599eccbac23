import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** The bit of HUP in a mask of signals, as `/proc/PID/status` has them. */
const hangup = 1n

/** The access of a file descriptor that was opened to be written only. */
const writeOnly = 1

/** Reads a file of `/proc`. */
type ReadText = (path: string) => string

/**
 * Whether HUP was ignored when this process began, as under `nohup`. Node takes that back before any JavaScript runs, so it is
 * told by what is left of it: the shell that started us ignores it, or says that it has started `nohup`, or our input is the file
 * without a way to read it that `nohup` puts in the place of a terminal.
 */
export function ignoresHangup(
  env: Readonly<NodeJS.ProcessEnv> = process.env,
  parent = process.ppid,
  read: ReadText = (path) => readFileSync(path, 'utf8'),
): boolean {
  if (basename(env._ ?? '') === 'nohup') return true
  try {
    return isWriteOnly(read('/proc/self/fdinfo/0')) || isShellThatIgnores(read(`/proc/${parent}/status`))
  } catch {
    return false
  }
}

function isWriteOnly(fdinfo: string): boolean {
  const [, flags = '0'] = /^flags:\s+([0-7]+)$/m.exec(fdinfo) ?? []
  return (Number.parseInt(flags, 8) & 3) === writeOnly
}

/** Another program may ignore it for itself alone. */
function isShellThatIgnores(status: string): boolean {
  const [, mask] = /^SigIgn:\s+([\da-f]+)$/m.exec(status) ?? []
  return /^Name:\s+\w*sh$/m.test(status) && mask !== undefined && (BigInt(`0x${mask}`) & hangup) !== 0n
}
