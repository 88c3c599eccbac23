/** Ends a line or a text, moves a cursor, or is otherwise no part of a name that anybody has chosen. */
const control = /[\p{Cc}\p{Zl}\p{Zp}]/u

/** Whether there is a control character in `text`, such as the end of a line. */
export function hasControlCharacters(text: string): boolean {
  return control.test(text)
}
