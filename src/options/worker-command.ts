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

/** Why a text is no command line. */
export class WordsError extends Error {}

/**
 * The words of a command line, as a shell would split it and without anything else that a shell does:
 * blanks separate words, `'…'`, `"…"` and `\` keep them together, and `$`, `*`, `~`, `|` and `;` are letters.
 *
 * @throws WordsError where a quote is not closed, or nothing follows the last `\`.
 */
export function splitWords(text: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote: "'" | '"' | undefined
  for (let i = 0; i < text.length; i++) {
    const letter = text[i] ?? ''
    const next = text[i + 1]
    const escapes = letter === '\\' && quote !== "'" && (quote === undefined || next === '"' || next === '\\')
    if (escapes) {
      if (next === undefined) throw new WordsError('nothing follows its last "\\"')
      word = (word ?? '') + next
      i++
    } else if (quote === undefined && (letter === "'" || letter === '"')) {
      quote = letter
      word ??= ''
    } else if (letter === quote) quote = undefined
    else if (quote === undefined && /\s/.test(letter)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + letter
  }
  if (quote !== undefined) throw new WordsError(`a quote ${quote} in it is not closed`)
  return word === undefined ? words : [...words, word]
}
