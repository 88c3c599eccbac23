import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

/** How a command ended and what it printed. */
export interface CommandResult {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end, whatever its status, with `input` as its standard input. */
export async function runCommand(
  [command, ...args]: readonly [string, ...string[]],
  { env, input = '' }: { readonly env?: NodeJS.ProcessEnv; readonly input?: string } = {},
): Promise<CommandResult> {
  const child = spawn(command, args, { stdio: 'pipe', cwd: '/', ...(env && { env }) })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  // It may end without having read any.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [status, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { status, stdout, stderr }
}

/**
 * Runs a command and gives its standard output.
 *
 * @throws Error where it ends with another status than 0.
 */
export async function commandOutput(
  command: readonly [string, ...string[]],
  options: { readonly env?: NodeJS.ProcessEnv; readonly input?: string } = {},
): Promise<string> {
  return outputOf(command, await runCommand(command, options))
}

/**
 * What a command has printed on its standard output.
 *
 * @throws Error where it ended with another status than 0.
 */
export function outputOf(command: readonly string[], { status, stdout, stderr }: CommandResult): string {
  if (status !== 0) throw new Error(`Cannot run "${command.join(' ')}": status ${String(status)}\n${stdout}${stderr}`)
  return stdout
}
