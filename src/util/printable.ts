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

/** A line that a program has printed: its tabs and colours stay. */
export function printableOutput(line: string): string {
  const parts = line.split(colour)
  return parts.map((part, i) => (i % 2 === 1 ? part : printableLines(part))).join('')
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}
