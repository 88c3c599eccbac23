import { splitWords, WordsError } from '../util/split-words.ts'
import { atHome, Refusal, text } from './kinds.ts'
import type { Kind } from './row.ts'

/** What a worker command may name in braces. */
export const placeholders = [
  'scheduler_address',
  'scheduler_file',
  'name',
  'nthreads',
  'memory_limit',
  'local_directory',
  'resources',
  'tls_ca_file',
  'tls_cert',
  'tls_key',
] as const
export type Placeholder = (typeof placeholders)[number]

/** What looks like a placeholder; braces around anything else, such as JSON, are letters. */
export const placeholderPattern = /\{([a-z_]+)\}/g

/** The words of a worker command, with `~` written out: a shell does not do so within the quotes around it. */
export function wordsOfCommand(text: string): readonly string[] {
  return splitWords(text).map((word) => (word === '~' || word.startsWith('~/') ? atHome(word) : word))
}

/** A command in place of `dask worker`, with placeholders. */
export function workerCommand(): Kind<string, string> {
  return text((given) => {
    for (const [all, name] of given.matchAll(placeholderPattern))
      if (!placeholders.some((known) => known === name))
        throw new Refusal(`there is no ${all}; it may name ${placeholders.map((known) => `{${known}}`).join(', ')}`)
    try {
      wordsOfCommand(given)
    } catch (error) {
      if (!(error instanceof WordsError)) throw error
      throw new Refusal(error.message)
    }
    return given
  })
}
