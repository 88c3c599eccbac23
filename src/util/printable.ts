/** What moves a terminal's cursor, colours it, breaks a line or turns the order of what stands beside it. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

/** A text of somebody else for one line of a terminal: what is not to be printed is written as `\u001b`. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, escaped)
}

/** The same for a text of several lines, which may have tabs. */
export function printableLines(text: string): string {
  return text.replaceAll(unprintable, (char) => (char === '\n' || char === '\t' ? char : escaped(char)))
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}
