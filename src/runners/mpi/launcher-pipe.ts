/** On which file descriptor a child finds what is passed on to it. */
const passedOn = 4

/**
 * What a child needs to speak PMI with the launcher of this process: its environment, and the file
 * descriptor to pass on to it as number 4, which no child inherits by itself.
 */
export function withLauncherPipe(env: Readonly<NodeJS.ProcessEnv>): {
  readonly env: NodeJS.ProcessEnv
  readonly passOn?: number
} {
  if (!/^\d+$/.test(env.PMI_FD ?? '')) return { env: { ...env } }
  return { env: { ...env, PMI_FD: String(passedOn) }, passOn: Number(env.PMI_FD) }
}
