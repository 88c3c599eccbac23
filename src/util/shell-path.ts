/**
 * `PATH` for our own shell scripts: where the system has its programs, and behind it what the user has there, which may be
 * on a filesystem that hangs. A script changes its working directory, where nothing is to be found by a relative entry.
 */
export function shellPath({ PATH = '' }: Readonly<NodeJS.ProcessEnv> = process.env): string {
  return ['/usr/bin', '/bin', ...PATH.split(':').filter((directory) => directory.startsWith('/'))].join(':')
}
