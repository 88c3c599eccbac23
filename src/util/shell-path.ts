/**
 * `PATH` for our own shell scripts: what the user has there, and behind it where the system has its
 * programs. A script changes its working directory, where nothing is to be found by a relative entry.
 */
export function shellPath({ PATH = '' }: Readonly<NodeJS.ProcessEnv> = process.env): string {
  return [...PATH.split(':').filter((directory) => directory.startsWith('/')), '/usr/bin', '/bin'].join(':')
}
