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
