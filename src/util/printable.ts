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

/** Colours and other looks, as `\u001b[1;31m`: what is between the parts of a line that is split by them. */
const colour = new RegExp(`(${String.fromCharCode(27)}\\[[\\d;:]*m)`)

/** Most of what is printed is plain, and there may be much of it: that is not looked at more closely. */
const notPlain = /[^\n\t -~]/

/** Lines that a program has printed: their tabs and colours stay. */
export function printableOutput(lines: readonly string[]): readonly string[] {
  const text = lines.join('\n')
  return notPlain.test(text) ? keepingColours(text).split('\n') : lines
}

function keepingColours(text: string): string {
  const parts = text.split(colour)
  return parts.map((part, i) => (i % 2 === 1 ? part : printableLines(part))).join('')
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}
