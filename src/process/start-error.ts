import type { ChildProcess } from 'node:child_process'
import { errnoOf, messageOf } from '../errors.ts'

const words: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program',
  EACCES: 'it is no program that this user may start (EACCES)',
  EMFILE: 'this process has too many files open (EMFILE); raise the limit (ulimit -n)',
  ENFILE: 'this machine has too many files open (ENFILE)',
  EAGAIN: 'there are too many processes (EAGAIN); raise the limit (ulimit -u)',
  ENOMEM: 'there is no memory for another process (ENOMEM)',
}

/** Why a program could not be started, in words. */
export function formatStartError(error: unknown): string {
  return words[errnoOf(error) ?? ''] ?? messageOf(error)
}

/** What Node has made of the streams of a program that could not be started: where files ran out, none. */
export function dropStreams(child: ChildProcess): void {
  const streams = child.stdio as ChildProcess['stdio'] | undefined
  for (const stream of streams ?? []) stream?.on('error', () => undefined).destroy()
}
